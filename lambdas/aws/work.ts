import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { workHandler } from '../events/work.ts'
import { composeWorker, openWorker } from './compose.ts'
import { handOn } from './hand-on.ts'
import { keepClaimed } from './keep-claimed.ts'

/** Enough to end the request that is being heard, to write its window and to give the job back. */
const RESERVE_MS = 30_000
/** For so long a message stays hidden whose worker has died. */
const VISIBILITY_MS = 60_000

const { ports, worker, work, shardWork, isShard } = composeWorker(await openWorker())
const ofJobs = { from: work, to: ports.longWork?.queue ?? work }
const ofShards = { from: shardWork, to: shardWork }

/**
 * SQS `work` and `shards`, in a container Lambda. A job that does not fit into the time that is left goes on in the next
 * one, or with the workers of long recordings where there are any; a shard, in the next one.
 */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  ports.begin(context)
  const drain = new AbortController()
  const timer = setTimeout(() => drain.abort(), context.getRemainingTimeInMillis() - RESERVE_MS)
  // All records of an event are of one queue.
  const queues = event.Records.some(isShard) ? ofShards : ofJobs
  const working = keepClaimed(workHandler(ports, { worker, drain: drain.signal }), queues.from, {
    visibilityMs: VISIBILITY_MS,
  })
  try {
    return await handOn(working, drain.signal, queues)(event)
  } finally {
    clearTimeout(timer)
    await ports.settled()
  }
}
