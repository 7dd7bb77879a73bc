import type { SQSEvent } from 'aws-lambda'
import type { Queue } from '../../lib/core/ports.ts'
import type { SqsHandler } from '../events/sqs.ts'

export interface HandOnQueues {
  /** Where the messages come from. */
  readonly from: Queue
  /** Where a job goes on whose worker stops: the same queue, or that of workers with more time. */
  readonly to: Queue
}

/**
 * What becomes of messages that a worker could not bring to their end.
 *
 * A worker that is asked to stop sends them on as new ones: its job goes on elsewhere at once, and a recording longer
 * than a worker lives does not use up its deliveries. (Were that for ever, `maxAttempts` would end the job.) Otherwise
 * the delivery has failed; the message comes back after the queue's pause, which the source of a Lambda's messages
 * would not keep by itself: it leaves them as they are until the claim has run out.
 */
export function handOn(handler: SqsHandler, drain: AbortSignal, { from, to }: HandOnQueues): SqsHandler {
  return async (event: SQSEvent) => {
    const { batchItemFailures } = await handler(event)
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    const records = event.Records.filter(({ messageId }) => failed.has(messageId))
    if (!drain.aborted) {
      await Promise.all(records.map(({ receiptHandle }) => from.extend(receiptHandle, 0)))
      return { batchItemFailures }
    }
    await Promise.all(records.map(({ body }) => to.send(body)))
    return { batchItemFailures: [] }
  }
}
