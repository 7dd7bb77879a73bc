import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { toVerbatimError } from '../../lib/core/errors.ts'
import type { Log } from '../../lib/core/ports.ts'

export type SqsHandler = (event: SQSEvent) => Promise<SQSBatchResponse>

/** Handles each record by itself: one that throws is reported as failed and delivered again, the rest is done. */
export function forRecords(log: Log, run: (record: SQSRecord) => Promise<void>): SqsHandler {
  return async ({ Records }) => {
    const outcomes = await Promise.allSettled(Records.map(run))
    const batchItemFailures = Records.filter((record, index) => {
      const outcome = outcomes[index]!
      if (outcome.status === 'rejected') logFailure(log, record, outcome.reason)
      return outcome.status === 'rejected'
    }).map(({ messageId }) => ({ itemIdentifier: messageId }))
    return { batchItemFailures }
  }
}

/** Thrown to have a message delivered again without that being anybody's failure. */
export class DeliverAgain extends Error {
  constructor() {
    super('deliver again')
  }
}

function logFailure(log: Log, { messageId }: SQSRecord, reason: unknown): void {
  if (reason instanceof DeliverAgain) return
  const error = toVerbatimError(reason)
  const source = error.cause instanceof Error ? error.cause : error
  log.error('message failed', { messageId, code: error.code, stack: source.stack ?? '' })
}
