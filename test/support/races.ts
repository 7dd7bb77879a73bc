/** What a step has touched of what actors share. A name that begins with another's is a part of that. */
export interface Access {
  readonly name: string
  readonly write: boolean
}

/** Whether it matters which of two steps comes first. */
export const conflict = (one: readonly Access[], other: readonly Access[]): boolean =>
  one.some((a) =>
    other.some((b) => (a.write || b.write) && (a.name.startsWith(b.name) || b.name.startsWith(a.name))),
  )

/** For each actor, the last of its steps that came before: a vector clock. */
type Past = ReadonlyMap<string, number>

interface Step {
  readonly actor: string
  readonly touched: readonly Access[]
  readonly past: Past
}

/** Two steps that could have come in the other order: had one of these actors gone on instead of step `at`. */
export interface Race {
  readonly at: number
  readonly actors: readonly string[]
}

/** The steps of one run, and which of them had to come before which others. */
export function createHistory() {
  const steps: Step[] = []
  const pasts = new Map<string, Past>()

  /** What comes before a step of `actor` anyway, and the races with what does not. */
  function look(actor: string, touched: readonly Access[]) {
    const races: number[] = []
    let past = pasts.get(actor) ?? new Map()
    for (let at = steps.length - 1; at >= 0; at--) {
      const step = steps[at]!
      if ((past.get(step.actor) ?? -1) >= at || !conflict(step.touched, touched)) continue
      races.push(at)
      past = join(past, step.past)
    }
    return { past, races }
  }

  return {
    /** Actors that the last step has begun, or that begin when all others have ended. */
    born(actors: readonly string[], { afterAll = false } = {}): void {
      const all = () => steps.reduce((past, step) => join(past, step.past), new Map() as Past)
      for (const actor of actors) pasts.set(actor, afterAll ? all() : (steps.at(-1)?.past ?? new Map()))
    },
    /** Adds a step. Answers with its races. */
    add(actor: string, touched: readonly Access[]): Race[] {
      const { past, races } = look(actor, touched)
      const index = steps.length
      const own = new Map(past).set(actor, index)
      steps.push({ actor, touched, past: own })
      pasts.set(actor, own)
      return races.map((at) => ({ at, actors: firstsWithout(steps, at) }))
    },
  }
}

/** Who could begin where step `at` was, if all that follows and has nothing to do with it were to come first. */
function firstsWithout(steps: readonly Step[], at: number): string[] {
  const { actor } = steps[at]!
  const rest = [...steps.entries()].slice(at + 1)
  const free = rest.filter(([i, { past }]) => i === steps.length - 1 || (past.get(actor) ?? -1) < at)
  const isAfter = ({ past }: Step, [i, other]: readonly [number, Step]) => (past.get(other.actor) ?? -1) >= i
  return free
    .filter(([, step], place) => !free.slice(0, place).some((other) => isAfter(step, other)))
    .map(([, step]) => step.actor)
}

function join(one: Past, other: Past): Past {
  const joined = new Map(one)
  for (const [actor, at] of other) joined.set(actor, Math.max(at, joined.get(actor) ?? -1))
  return joined
}
