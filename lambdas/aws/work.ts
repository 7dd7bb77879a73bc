import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { workHandler } from '../events/work.ts'
import { composeWorker } from './compose.ts'
import { handOn } from './hand-on.ts'

/** Enough to end the request that is being heard, to write its window and to give the job back. */
const RESERVE_MS = 30_000

const { ports, worker, work } = await composeWorker()

/** SQS `work`, in a container Lambda. A job that does not fit into the time that is left goes on in the next one. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const drain = new AbortController()
  const timer = setTimeout(() => drain.abort(), context.getRemainingTimeInMillis() - RESERVE_MS)
  try {
    return await handOn(workHandler(ports, { worker, drain: drain.signal }), drain.signal, work)(event)
  } finally {
    clearTimeout(timer)
  }
}
