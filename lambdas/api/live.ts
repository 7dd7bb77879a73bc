import * as z from 'zod'
import { VerbatimError } from '../../lib/core/errors.ts'
import { languageCode } from '../../lib/core/languages.ts'
import { noteSpeaker, takeChunk } from '../../lib/core/live/1-chunk.ts'
import { closeSession } from '../../lib/core/live/8-close.ts'
import { listSessions, readSession, readTranscription } from '../../lib/core/live/10-read.ts'
import {
  SessionListQuery,
  type SessionView,
  SpeakerRequest,
  TranscriptionQuery,
} from '../../lib/core/live/contract.ts'
import { type EraseSessionPorts, eraseSession } from '../../lib/core/live/erase.ts'
import type { LivePorts } from '../../lib/core/live/ports.ts'
import { SessionId, type SessionRef } from '../../lib/core/session.ts'
import {
  type Caller,
  forCallers,
  type HttpEvent,
  type HttpHandler,
  type HttpPorts,
  json,
  parse,
  parseBody,
} from './http.ts'
import { LIVE_ROUTES } from './routes.ts'

type Ports = HttpPorts &
  Pick<LivePorts, 'sessions' | 'objects' | 'live' | 'clock' | 'liveSettings' | 'newPostId'>

const ChunkHeaders = z.object({
  'x-session-id': SessionId,
  'x-chunk-seq': z
    .string()
    .regex(/^\d{1,8}$/, 'a number from 0 to 99999999')
    .transform(Number)
    .optional(),
  'x-language': z
    .string()
    .max(40)
    .optional()
    .refine(
      (text) => text === undefined || text === '' || text === 'auto' || languageCode(text) !== undefined,
      {
        error: 'not a language that whisper knows',
        params: { code: 'unknown-language' },
      },
    ),
  'content-type': z.string().max(255).default('application/octet-stream'),
})

/** POST /api/audio/stream */
export const streamHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    const headers = parse(ChunkHeaders, event.headers, 'header')
    const { 'x-session-id': sessionId, 'x-chunk-seq': seq, 'x-language': asked } = headers
    const language = asked === undefined ? undefined : languageCode(asked)
    const { seq: taken } = await takeChunk(ports)(
      { tenant, sessionId },
      {
        ...{ bytes: bytesOf(event), contentType: headers['content-type'] },
        ...(seq !== undefined && { seq }),
        ...(language !== undefined && { language }),
      },
    )
    return json(200, { sessionId, seq: taken })
  })

/** API Gateway sends what is not text as base64; what it takes for text has been decoded, and is sound no more. */
function bytesOf({ body = '', isBase64Encoded }: HttpEvent): Uint8Array {
  if (!isBase64Encoded && body !== '') {
    throw new VerbatimError('bad-request', 'A chunk of sound was sent as text.', {
      hint: 'Send Content-Type: application/octet-stream, or the type of the sound.',
    })
  }
  return Buffer.from(body, 'base64')
}

/** POST /api/speaker */
export const speakerHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    const { session_id: sessionId, speaker_name: name, at } = parseBody(SpeakerRequest, event)
    await noteSpeaker(ports)({ tenant, sessionId }, name, at === undefined ? undefined : Date.parse(at))
    return json(200, { sessionId })
  })

/** Another tenant's id, and what can't be an id, are unknown like any other. */
const refOf = ({ tenant, event }: Caller): SessionRef => ({
  tenant,
  sessionId: event.pathParameters?.sessionId ?? '',
})

/** `?after=` says nothing, and is not 0. */
const queryOf = ({ queryStringParameters = {} }: HttpEvent) =>
  Object.fromEntries(Object.entries(queryStringParameters).filter(([, value]) => value !== ''))

/** GET /api/transcriptions/{sessionId} */
export const transcriptionHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async (caller) => {
    const { after, limit } = parse(TranscriptionQuery, queryOf(caller.event), 'query')
    const query = { limit, ...(after !== undefined && { after }) }
    return json(200, await readTranscription(ports)(refOf(caller), query))
  })

/** Where captions are streamed by another host than that of the API: its base address. */
interface SessionPorts extends Ports {
  readonly eventsUrl?: string
}

async function viewOf(ports: SessionPorts, caller: Caller): Promise<SessionView> {
  const ref = refOf(caller)
  const view = await readSession(ports)(ref)
  if (ports.eventsUrl === undefined) return view
  const path = LIVE_ROUTES.events.path.replace('{sessionId}', encodeURIComponent(ref.sessionId))
  return { ...view, eventsUrl: new URL(path, ports.eventsUrl).href }
}

/** GET /api/sessions/{sessionId} */
export const sessionHandler = (ports: SessionPorts): HttpHandler =>
  forCallers(ports, async (caller) => json(200, await viewOf(ports, caller)))

/** GET /api/sessions */
export const sessionsHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    const { cursor, limit } = parse(SessionListQuery, queryOf(event), 'query')
    return json(200, await listSessions(ports)(tenant, { limit, ...(cursor !== undefined && { cursor }) }))
  })

/** POST /api/sessions/{sessionId}/close */
export const closeHandler = (ports: SessionPorts): HttpHandler =>
  forCallers(ports, async (caller) => {
    await closeSession(ports)(refOf(caller))
    return json(200, await viewOf(ports, caller))
  })

/** DELETE /api/sessions/{sessionId} */
export const eraseSessionHandler = (ports: Ports & EraseSessionPorts): HttpHandler =>
  forCallers(ports, async (caller) => {
    await eraseSession(ports)(refOf(caller))
    return { statusCode: 204 }
  })
