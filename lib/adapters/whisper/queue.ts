import { stopped } from './life.ts'
import { cancelled, throwIfCancelled } from './run.ts'

/** Things that are lent to one taker at a time, first come, first served. */
export interface Queue<T> {
  /** Fails with `cancelled` when the signal fires first, and the place in the queue is given up. */
  take(signal?: AbortSignal): Promise<T>
  giveBack(thing: T): void
  /** Whoever waits, or comes later, fails with `engine-crashed`. */
  close(): void
}

interface Waiter<T> {
  give(thing: T): void
  turnAway(): void
}

/** @param isPreferred chooses among several that are free: one that is warm, say */
export function createQueue<T>(things: readonly T[], isPreferred: (thing: T) => boolean): Queue<T> {
  const free = [...things]
  const waiting: Waiter<T>[] = []
  let closed = false

  return {
    async take(signal) {
      throwIfCancelled(signal)
      if (closed) throw stopped()
      if (free.length > 0) {
        const index = Math.max(0, free.findIndex(isPreferred))
        return free.splice(index, 1)[0]!
      }
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
      const next = waiting.shift()
      if (next) next.give(thing)
      else free.push(thing)
    },
    close() {
      closed = true
      for (const waiter of waiting.splice(0)) waiter.turnAway()
    },
  }
}
