import { setImmediate } from 'node:timers/promises'
import type { Access } from './races.ts'

/** What an actor that has been killed meets at its next call. */
export class Killed extends Error {}

export interface Actor {
  readonly name: string
  readonly dead: boolean
  /** Waits for its turn, then does the step. Throws Killed from the actor's death on. */
  turn<T>(act: () => Promise<T>): Promise<T>
}

/** What a system knows of the run that it is in. */
export interface Run {
  /** Begins an actor. It ends as it may: what it throws is nobody's concern. */
  start(name: string, life: (actor: Actor) => Promise<unknown>): void
  /** The step that is done now reads or writes this; a function is asked when the step is over. */
  touch(name: string | (() => readonly string[]), write: boolean): void
  /** Something is wrong, whatever the actors make of it. */
  fail(message: string): void
}

/** The actors of one run. Only one of them moves at a time; the others wait for their turn. */
export function createCast() {
  const actors = new Map<string, ReturnType<typeof createActor>>()
  const born: string[] = []
  const touched: Array<() => readonly Access[]> = []
  let fault: Error | undefined
  const run: Run = {
    start(name, life) {
      actors.set(name, createActor(name, life))
      born.push(name)
    },
    touch(name, write) {
      touched.push(() => (typeof name === 'string' ? [name] : name()).map((one) => ({ name: one, write })))
    },
    fail(message) {
      fault ??= new Error(message)
    },
  }
  /** Until each actor waits or has ended. Throws when one of them has found something wrong. */
  const settle = async () => {
    do await setImmediate()
    while ([...actors.values()].some((actor) => !actor.ended && !actor.waits()))
    if (fault) throw fault
  }
  return {
    run,
    settle,
    ready: () => [...actors.values()].filter((actor) => actor.waits()).map(({ name }) => name),
    go: (name: string) => actors.get(name)!.go(),
    kill: (name: string) => actors.get(name)!.kill(),
    /** Who has begun, and what was touched, since this was asked last. */
    takeBorn: () => born.splice(0),
    takeTouched: (): readonly Access[] => touched.splice(0).flatMap((names) => names()),
    async killAll() {
      for (const actor of actors.values()) actor.kill()
      await settle().catch(() => {})
    },
  }
}

export type Cast = ReturnType<typeof createCast>

function createActor(name: string, life: (actor: Actor) => Promise<unknown>) {
  const waiting: Array<{ go: () => void; stop: () => void }> = []
  let dead = false
  const self = {
    name,
    ended: false,
    get dead() {
      return dead
    },
    async turn<T>(act: () => Promise<T>): Promise<T> {
      if (dead) throw new Killed()
      await new Promise<void>((go, reject) => waiting.push({ go, stop: () => reject(new Killed()) }))
      return act()
    },
    waits: () => waiting.length > 0,
    go: () => waiting.shift()!.go(),
    kill() {
      dead = true
      for (const { stop } of waiting.splice(0)) stop()
    },
  }
  const end = () => {
    self.ended = true
  }
  life(self).then(end, end)
  return self
}
