import { type Cast, createCast, type Run } from './cast.ts'
import { type Access, conflict, createHistory } from './races.ts'

// Stateless model checking: a system of actors is run again from its beginning for each way in which their steps can
// follow each other (P. Godefroid, POPL 1997), but once only for all ways that differ in the order of steps that have
// nothing to do with each other: dynamic partial-order reduction with source sets and sleep sets (P. Abdulla
// et al., POPL 2014).

export interface System {
  /** All actors have ended: begins what is to follow, if anything. False: the run is over. */
  idle(): boolean
  /** Looks whether all is well at the end. Throws when it is not. */
  end(): Promise<void>
}

export type Begin = (run: Run) => Promise<System>

export interface Explored {
  /** Runs to the end, no two alike. */
  readonly schedules: number
  /** Runs that turned out to be like another. */
  readonly alike: number
}

/** An actor does its next step, or dies before it. */
type Choice = `${'step' | 'death'} ${string}`

/** What may follow at one moment of a run. */
interface Moment {
  /** How many may still die. */
  readonly deaths: number
  taken: Choice
  /** What has to be tried here, and what has been, with what it touched. */
  readonly todo: Set<Choice>
  readonly done: Map<Choice, readonly Access[]>
  /** What was tried before, and has had nothing to do with what came since. */
  readonly asleep: ReadonlyMap<Choice, readonly Access[]>
}

/** Runs the system in all orders of steps that differ; up to `deaths` actors are killed, before each of their steps. */
export async function explore(begin: Begin, { deaths = 0 } = {}): Promise<Explored> {
  const path: Moment[] = []
  let schedules = 0
  let alike = 0
  do {
    if (await oneRun(begin, deaths, path)) schedules++
    else alike++
  } while (another(path))
  return { schedules, alike }
}

/** Goes back to the last moment at which there is something else to try. */
function another(path: Moment[]): boolean {
  for (let last = path.at(-1); last; last = path.at(-1)) {
    const { todo, done, asleep } = last
    const next = [...todo].find((choice) => !done.has(choice) && !asleep.has(choice))
    if (next) {
      last.taken = next
      return true
    }
    path.pop()
  }
  return false
}

/** Follows `path`, then goes on as it comes, and notes at which moments something else may lead elsewhere. */
async function oneRun(begin: Begin, deaths: number, path: Moment[]): Promise<boolean> {
  const cast = createCast()
  const system = await begin(cast.run)
  const history = createHistory()
  let left = deaths
  try {
    await cast.settle()
    for (let depth = 0; ; depth++) {
      history.born(cast.takeBorn())
      let ready = cast.ready()
      if (ready.length === 0) {
        if (!system.idle()) break
        await cast.settle()
        history.born(cast.takeBorn(), { afterAll: true })
        ready = cast.ready()
      }
      const moment = path[depth] ?? nextMoment(ready, left, path.at(-1))
      if (!moment) return false
      path[depth] = moment
      const touched = await perform(cast, moment.taken)
      if (moment.taken.startsWith('death')) left--
      moment.done.set(moment.taken, touched)
      for (const race of history.add(actorOf(moment.taken), touched)) plan(path[race.at]!, race.actors)
    }
    await system.end()
    return true
  } catch (error) {
    throw new Error(`after: ${path.map(({ taken }) => taken).join(', ')}`, { cause: error })
  } finally {
    await cast.killAll()
  }
}

const actorOf = (choice: Choice): string => choice.slice(choice.indexOf(' ') + 1)

function nextMoment(
  ready: readonly string[],
  deaths: number,
  before: Moment | undefined,
): Moment | undefined {
  const asleep = new Map<Choice, readonly Access[]>()
  if (before) {
    const touched = before.done.get(before.taken)!
    for (const [choice, theirs] of [...before.asleep, ...before.done])
      if (actorOf(choice) !== actorOf(before.taken) && !conflict(theirs, touched)) asleep.set(choice, theirs)
  }
  const first = ready.find((name) => !asleep.has(`step ${name}`))
  if (first === undefined) return undefined
  const moment: Moment = {
    ...{ deaths, asleep, taken: `step ${first}` },
    ...{ todo: new Set(), done: new Map() },
  }
  plan(moment, [first])
  return moment
}

/** One of these actors has to be tried. */
function plan({ deaths, todo }: Moment, actors: readonly string[]): void {
  if (actors.some((name) => todo.has(`step ${name}`))) return
  todo.add(`step ${actors[0]!}`)
  if (deaths > 0) todo.add(`death ${actors[0]!}`)
}

async function perform(cast: Cast, choice: Choice): Promise<readonly Access[]> {
  cast.takeTouched()
  if (choice.startsWith('death')) cast.kill(actorOf(choice))
  else cast.go(actorOf(choice))
  await cast.settle()
  return cast.takeTouched()
}
