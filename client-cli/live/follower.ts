import { VerbatimError } from '../../lib/core/errors.ts'
import type { Context } from '../context.ts'
import type { Screen } from './screen.ts'

/** Shows captions beside the sending, from when there is a session until it is CLOSED. */
export function createFollower({ client }: Context, sessionId: string, screen: Screen) {
  const stopped = new AbortController()
  let following: Promise<unknown> | undefined
  const follow = async () => {
    for await (const update of client.live.follow(sessionId, { signal: stopped.signal })) screen.show(update)
  }
  return {
    begun: () => following !== undefined,
    begin() {
      // What breaks here is told at the end: the sending goes on meanwhile.
      following = follow().catch((error: unknown) => error)
    },
    async end(timeoutMs: number | undefined) {
      const limit =
        timeoutMs === undefined ? undefined : setTimeout(() => stopped.abort(late(sessionId)), timeoutMs)
      const failure = await following
      clearTimeout(limit)
      if (failure !== undefined) throw failure
    },
    stop: () => stopped.abort(new Error('no longer wanted')),
  }
}

const late = (sessionId: string) =>
  new VerbatimError('timeout', 'The transcript was not ready in time.', {
    hint: `It is being made: \`verbatim session show ${sessionId}\` names its job.`,
  })
