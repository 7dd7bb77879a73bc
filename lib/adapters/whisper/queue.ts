import { stopped } from './life.ts'
import { cancelled, throwIfCancelled } from './run.ts'

/**
 * Things that are lent to one taker at a time. Urgent takers go first, and first come, first served among their like;
 * but of the others nobody waits for ever.
 */
export interface Queue<T> {
  /** Fails with `cancelled` when the signal fires first, and the place in the queue is given up. */
  take(signal?: AbortSignal, urgent?: boolean): Promise<T>
  giveBack(thing: T): void
  /** Whoever waits, or comes later, fails with `engine-crashed`. */
  close(): void
}

interface Waiter<T> {
  give(thing: T): void
  turnAway(): void
}

/** After so many urgent takers in a row one of the others has its turn. */
const IN_A_ROW = 20
/** So long after an urgent taker, one thing of several is kept free for the next. */
const RESERVED_MS = 30_000

/** @param isPreferred chooses among several that are free: one that is warm, say */
export function createQueue<T>(things: readonly T[], isPreferred: (thing: T) => boolean): Queue<T> {
  const free = [...things]
  const urgentOnes: Waiter<T>[] = []
  const others: Waiter<T>[] = []
  let inARow = 0
  let urgentAt = Number.NEGATIVE_INFINITY
  let closed = false

  const reserved = () => (things.length > 1 && performance.now() - urgentAt < RESERVED_MS ? 1 : 0)

  /** Whose turn it is, if there is one for what is free. */
  function next(): Waiter<T> | undefined {
    if (free.length === 0) return undefined
    const due = others.length > 0 && inARow >= IN_A_ROW
    if (urgentOnes.length > 0 && !due) {
      inARow += others.length > 0 ? 1 : 0
      return urgentOnes.shift()
    }
    if (!due && free.length <= reserved()) return undefined
    inARow = 0
    return others.shift()
  }

  function lend(): T {
    const index = Math.max(0, free.findIndex(isPreferred))
    return free.splice(index, 1)[0]!
  }

  return {
    async take(signal, urgent = false) {
      throwIfCancelled(signal)
      if (closed) throw stopped()
      if (urgent) urgentAt = performance.now()
      if (free.length > (urgent ? 0 : reserved())) return lend()
      const waiting = urgent ? urgentOnes : others
      return await new Promise<T>((resolve, reject) => {
        const leave = () => {
          waiting.splice(waiting.indexOf(waiter), 1)
          reject(cancelled(signal))
        }
        const settled = () => signal?.removeEventListener('abort', leave)
        const waiter: Waiter<T> = {
          give(thing) {
            settled()
            resolve(thing)
          },
          turnAway() {
            settled()
            reject(stopped())
          },
        }
        signal?.addEventListener('abort', leave, { once: true })
        waiting.push(waiter)
      })
    },
    giveBack(thing) {
      free.push(thing)
      for (let waiter = next(); waiter; waiter = next()) waiter.give(lend())
    },
    close() {
      closed = true
      for (const waiter of [...urgentOnes.splice(0), ...others.splice(0)]) waiter.turnAway()
    },
  }
}
