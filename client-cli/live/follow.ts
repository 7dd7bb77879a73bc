import * as z from 'zod'
import { VerbatimError } from '../../lib/core/errors.ts'
import { SegmentView, type SessionView, type TranscriptionReply } from '../../lib/core/live/contract.ts'
import { SESSION_STATES } from '../../lib/core/session.ts'
import { type Api, networkError } from '../http.ts'
import { pauseFor } from '../retry.ts'
import { readEvents, type ServerEvent } from './event-stream.ts'
import { pollCaptions } from './poll.ts'

export type Segment = z.infer<typeof SegmentView>

const State = z.object({ state: z.enum(SESSION_STATES), revision: z.int() })

/** What who follows a session is told. */
export type LiveUpdate =
  /** A final: a new one, or one that has been revised. */
  | { readonly what: 'final'; readonly segment: Segment }
  /** All drafts there are now, in place of those before. */
  | { readonly what: 'drafts'; readonly segments: readonly Segment[] }
  | ({ readonly what: 'session' } & z.infer<typeof State>)

export interface FollowOptions {
  readonly signal: AbortSignal
  /** Where to begin: the id of the last event that is known; left out: at the session's beginning. */
  readonly lastId?: string | undefined
}

/** What else is asked for on the way. */
export interface Questions {
  captions(
    sessionId: string,
    query: { after?: number | undefined; limit: number },
    signal?: AbortSignal,
  ): Promise<TranscriptionReply>
  session(sessionId: string, signal?: AbortSignal): Promise<SessionView>
}

/** The service says something every 15 s, if only that it is there. */
const SILENT_MS = 45_000
const PATIENCE_MS = 10 * 60_000

/**
 * Everything that happens in a session, until it is CLOSED. A connection that breaks is opened again and goes on where
 * it was. Where the service has no event stream, its captions are asked for again and again.
 */
export async function* followCaptions(
  api: Api,
  ask: Questions,
  sessionId: string,
  { signal, lastId }: FollowOptions,
): AsyncGenerator<LiveUpdate, void> {
  const { eventsUrl } = await ask.session(sessionId, signal)
  const path = eventsUrl ?? `/api/transcriptions/${encodeURIComponent(sessionId)}/events`
  let last = lastId
  let heardAt = Date.now()
  for (let pauseMs = api.pace.pauseMs; ; pauseMs = Math.min(pauseMs * 2, api.pace.maxPauseMs)) {
    try {
      for await (const event of eventsOf(api, path, last, signal)) {
        if (!event) return
        heardAt = Date.now()
        pauseMs = api.pace.pauseMs / 2
        if (event.id !== '') last = event.id
        const update = updateOf(event)
        if (!update) continue
        yield update
        if (update.what === 'session' && update.state === 'CLOSED') return
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof VerbatimError)) throw error
      if (NO_STREAM.has(error.code)) return yield* pollCaptions(api, ask, sessionId, signal)
      if (!error.traits.retry || Date.now() - heardAt > PATIENCE_MS) throw error
    }
    await pauseFor(pauseMs, signal)
  }
}

/** What an API says that has no such route; an unknown session has a code of its own. */
const NO_STREAM = new Set(['not-found', 'method-not-allowed'])

/** The events of one connection; undefined when there will never be another. Throws `network` when it breaks or falls silent. */
async function* eventsOf(
  api: Api,
  path: string,
  lastId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent | undefined, void> {
  const stalled = new AbortController()
  const timer = setTimeout(
    () => stalled.abort(new VerbatimError('network', 'The captions stopped.')),
    SILENT_MS,
  )
  const headers = { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) }
  try {
    const { status, body, url } = await api.open(path, headers, AbortSignal.any([signal, stalled.signal]))
    if (status === 204) yield undefined
    if (!body) return
    try {
      yield* readEvents(watched(body, () => timer.refresh()))
    } catch (error) {
      throw networkError(error, url)
    }
  } finally {
    clearTimeout(timer)
  }
}

async function* watched(stream: AsyncIterable<Uint8Array>, onBytes: () => void) {
  for await (const bytes of stream) {
    onBytes()
    yield bytes
  }
}

/** Undefined for an event of a kind that a later service may send. */
function updateOf({ event, data }: ServerEvent): LiveUpdate | undefined {
  try {
    const value: unknown = JSON.parse(data)
    if (event === 'segment') return { what: 'final', segment: SegmentView.parse(value) }
    if (event === 'drafts') return { what: 'drafts', segments: z.array(SegmentView).parse(value) }
    return event === 'session' ? { what: 'session', ...State.parse(value) } : undefined
  } catch (cause) {
    throw new VerbatimError('internal', "What sends the captions does not speak Verbatim's language.", {
      hint: 'Check that the service and this client are of the same version.',
      cause,
    })
  }
}
