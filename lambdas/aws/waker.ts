import { toVerbatimError } from '../../lib/core/errors.ts'
import type { Clock, Log, Queue } from '../../lib/core/ports.ts'

export interface Waker {
  /** There is something to be sent. Does not wait: who announces a webhook does not fail because nobody could be woken. */
  wake(): void
  /** Resolves when all that `wake` has begun is done: a function is frozen as soon as it has answered. */
  settled(): Promise<void>
}

/** All wake-ups are one group, so that one function at a time sends; a second's are one (lambdas/events/deliver.ts). */
const GROUP = 'deliveries'
const ONCE_MS = 1000

/** Wakes the function that sends webhooks, through its queue. */
export function createWaker({ queue, clock, log }: { queue: Queue; clock: Clock; log: Log }): Waker {
  const begun = new Set<Promise<void>>()
  return {
    wake() {
      const sent = queue
        .send('{}', { group: GROUP, dedupe: `wake-${Math.floor(clock() / ONCE_MS)}` })
        .catch((error: unknown) => log.warn('wake-up failed', { code: toVerbatimError(error).code }))
        .finally(() => begun.delete(sent))
      begun.add(sent)
    },
    settled: async () => void (await Promise.all(begun)),
  }
}
