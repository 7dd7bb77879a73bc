import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { liveHandler } from '../events/live.ts'
import { openWorker } from './compose.ts'
import { composeLiveWorker } from './compose-live-worker.ts'
import { handOn } from './hand-on.ts'

/** Enough to break a request off, and to give the session back. */
const RESERVE_MS = 15_000

const opened = await openWorker()
const { ports, live } = composeLiveWorker(opened, opened.engine)

/** One for many invocations, as it remembers which sessions it has looked at; a new one after it had to stop. */
function begin() {
  const drain = new AbortController()
  // What fails comes back after a pause, in its group: sent anew, it would lose its place.
  const never = new AbortController().signal
  return {
    drain,
    handle: handOn(liveHandler(ports, { drain: drain.signal }), never, { from: live, to: live }),
  }
}
let host = begin()

/** SQS `live`, in a container Lambda. A session that has more to do than time is left goes on in the next one. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  ports.begin(context)
  const { drain, handle } = host
  const timer = setTimeout(() => drain.abort(), context.getRemainingTimeInMillis() - RESERVE_MS)
  try {
    return await handle(event)
  } finally {
    clearTimeout(timer)
    if (drain.signal.aborted) host = begin()
    await ports.settled()
  }
}
