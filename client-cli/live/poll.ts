import type { Api } from '../http.ts'
import { pauseFor } from '../retry.ts'
import type { LiveUpdate, Questions } from './follow.ts'

const PAGE = 1000

/** What `followCaptions` gives, for a service without an event stream. Revised finals come when the session is CLOSED. */
export async function* pollCaptions(
  api: Api,
  { captions }: Pick<Questions, 'captions'>,
  sessionId: string,
  signal: AbortSignal,
): AsyncGenerator<LiveUpdate, void> {
  let change = -1
  let after = -1
  let shown = ''
  const revisions = new Map<number, number>()
  for (;;) {
    const reply = await captions(sessionId, { after, limit: PAGE }, signal)
    const finals = reply.segments.filter(({ final }) => final)
    for (const segment of finals) {
      if (segment.revision > (revisions.get(segment.id) ?? 0)) yield { what: 'final', segment }
      revisions.set(segment.id, segment.revision)
      after = segment.id
    }
    if (finals.length === PAGE) continue
    if (reply.change !== change) {
      change = reply.change
      yield { what: 'drafts', segments: reply.segments.filter(({ final }) => !final) }
    }
    const state = `${reply.state} ${reply.revision}`
    if (state !== shown && reply.state === 'CLOSED' && shown !== 'again') {
      // Once more from the first: now every final is as it stays.
      shown = 'again'
      after = -1
      continue
    }
    if (state !== shown) {
      shown = state
      yield { what: 'session', state: reply.state, revision: reply.revision }
    }
    if (reply.state === 'CLOSED') return
    await pauseFor(api.pace.maxPollMs / 2, signal)
  }
}
