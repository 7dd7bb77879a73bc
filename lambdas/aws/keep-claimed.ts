import type { Queue } from '../../lib/core/ports.ts'
import type { SqsHandler } from '../events/sqs.ts'

export interface KeepClaimedOptions {
  /** For so long a message is hidden at a time; renewed three times as often. */
  readonly visibilityMs: number
}

/**
 * Says again and again that messages are worked on. Lambda's event source does not: it wants a queue that hides messages
 * for as long as the function may run, and leaves those of a worker that died hidden for the rest of that time. Claimed
 * for a minute at a time, they come to another worker a minute after the last sign of life.
 */
export function keepClaimed(
  handler: SqsHandler,
  queue: Pick<Queue, 'extend'>,
  { visibilityMs }: KeepClaimedOptions,
): SqsHandler {
  return async (event) => {
    // One that fails is repeated at the next beat; at worst the message is delivered twice, which workers are ready for.
    const renew = () =>
      Promise.all(
        event.Records.map(({ receiptHandle }) =>
          queue.extend(receiptHandle, visibilityMs).catch(() => false),
        ),
      )
    let renewing: Promise<unknown> = renew()
    const timer = setInterval(() => {
      renewing = renewing.then(renew)
    }, visibilityMs / 3)
    try {
      return await handler(event)
    } finally {
      clearInterval(timer)
      // Else it might take back what becomes of the message next.
      await renewing
    }
  }
}
