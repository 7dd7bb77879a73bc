import * as z from 'zod'
import { VerbatimError } from '../../lib/core/errors.ts'
import { SessionList, SessionView, StreamReply, TranscriptionReply } from '../../lib/core/live/contract.ts'
import type { Api } from '../http.ts'
import { queryOf } from '../query.ts'
import { type FollowOptions, followCaptions, type LiveUpdate } from './follow.ts'

/** A service that stays away for so long has lost the session anyway: it closes what is silent for minutes. */
const PATIENCE_MS = 10 * 60_000

export interface ChunkToSend {
  /** From 0; the service takes each number once, so that a chunk may be sent again. */
  readonly seq: number
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly language?: string | undefined
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined
  onRetry?(): void
}

/** The live lane. All methods throw VerbatimError, or the reason of an aborted signal. */
export interface LiveClient {
  /** Sends until the chunk is taken; a service that has answered before is given minutes to come back. */
  send(sessionId: string, chunk: ChunkToSend, options?: SendOptions): Promise<void>
  /** From `at` on this person speaks. */
  speaker(sessionId: string, name: string, at: Date, signal?: AbortSignal): Promise<void>
  session(sessionId: string, signal?: AbortSignal): Promise<SessionView>
  list(
    query: { cursor?: string | undefined; limit: number },
    signal?: AbortSignal,
  ): Promise<z.infer<typeof SessionList>>
  /** No more sound comes. Harmless for a session that is closed already. */
  close(sessionId: string, signal?: AbortSignal): Promise<SessionView>
  /** Erases the session with its sound and its captions. */
  remove(sessionId: string, signal?: AbortSignal): Promise<void>
  captions(
    sessionId: string,
    query: { after?: number | undefined; limit: number },
    signal?: AbortSignal,
  ): Promise<TranscriptionReply>
  /** Everything that happens in a session until it is CLOSED (follow.ts). */
  follow(sessionId: string, options: FollowOptions): AsyncGenerator<LiveUpdate, void>
}

export function createLiveClient(api: Api): LiveClient {
  const at = (sessionId: string) => `/api/sessions/${encodeURIComponent(sessionId)}`
  const captions: LiveClient['captions'] = (sessionId, query, signal) =>
    api.call('GET', `/api/transcriptions/${encodeURIComponent(sessionId)}?${queryOf(query)}`, {
      ...{ schema: TranscriptionReply, signal },
    })
  const session: LiveClient['session'] = (sessionId, signal) =>
    api.call('GET', at(sessionId), { schema: SessionView, signal })
  return {
    captions,
    session,
    send: (sessionId, chunk, options = {}) => send(api, sessionId, chunk, options),
    speaker: (sessionId, name, when, signal) =>
      api.call('POST', '/api/speaker', {
        ...{ schema: z.unknown(), signal },
        body: { session_id: sessionId, speaker_name: name, at: when.toISOString() },
      }) as Promise<void>,
    list: (query, signal) =>
      api.call('GET', `/api/sessions?${queryOf(query)}`, { schema: SessionList, signal }),
    close: (sessionId, signal) => api.call('POST', `${at(sessionId)}/close`, { schema: SessionView, signal }),
    remove: (sessionId, signal) => remove(api, at(sessionId), signal),
    follow: (sessionId, options) => followCaptions(api, { captions, session }, sessionId, options),
  }
}

async function send(
  api: Api,
  sessionId: string,
  { seq, bytes, contentType, language }: ChunkToSend,
  { signal, onRetry }: SendOptions,
): Promise<void> {
  await api.call('POST', '/api/audio/stream', {
    ...{ schema: StreamReply, bytes, signal, patienceMs: PATIENCE_MS },
    headers: {
      ...{ 'content-type': contentType, 'x-session-id': sessionId, 'x-chunk-seq': String(seq) },
      ...(language !== undefined && { 'x-language': language }),
    },
    ...(onRetry && { onRetry }),
  })
}

async function remove(api: Api, path: string, signal?: AbortSignal): Promise<void> {
  let retried = false
  const onRetry = () => {
    retried = true
  }
  try {
    await api.call('DELETE', path, { schema: null, signal, onRetry })
  } catch (error) {
    // The first try got through although its reply was lost.
    if (!retried || !(error instanceof VerbatimError) || error.traits.http !== 404) throw error
  }
}
