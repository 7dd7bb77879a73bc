import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { workHandler } from '../events/work.ts'
import { composeWorker, openWorker } from './compose.ts'
import { handOn } from './hand-on.ts'

/** Enough to end the request that is being heard, to write its window and to give the job back. */
const RESERVE_MS = 30_000

const { ports, worker, work } = composeWorker(await openWorker())
const queues = { from: work, to: ports.longWork?.queue ?? work }

/**
 * SQS `work`, in a container Lambda. A job that does not fit into the time that is left goes on in the next one, or with
 * the workers of long recordings where there are any.
 */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  ports.begin(context)
  const drain = new AbortController()
  const timer = setTimeout(() => drain.abort(), context.getRemainingTimeInMillis() - RESERVE_MS)
  try {
    return await handOn(workHandler(ports, { worker, drain: drain.signal }), drain.signal, queues)(event)
  } finally {
    clearTimeout(timer)
    await ports.settled()
  }
}
