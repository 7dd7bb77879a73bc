import * as z from 'zod'
import type { ZodOpenApiOperationObject } from 'zod-openapi'
import {
  SessionList,
  SessionListQuery,
  SessionView,
  SpeakerReply,
  SpeakerRequest,
  StreamReply,
  TranscriptionQuery,
  TranscriptionReply,
} from '../../lib/core/live/contract.ts'
import { SessionId } from '../../lib/core/session.ts'
import { DeliveryList, DeliveryQuery, DeliveryView, TestRequest } from '../../lib/core/webhooks/contract.ts'
import { WebhookId } from '../../lib/core/webhooks/delivery.ts'
import { failures, jsonOf } from './openapi-replies.ts'
import type { LiveRouteName } from './routes.ts'

const path = z.object({ sessionId: SessionId.meta({ description: 'The id that the client has chosen.' }) })

const ChunkHeaders = z.object({
  'X-Session-ID': SessionId.meta({
    description: 'Chosen by the client; a session begins with its first chunk or name.',
  }),
  'X-Chunk-Seq': z.int().min(0).max(99_999_999).optional().meta({
    description:
      'Number of the chunk, one more with each. Makes repeating safe and lets chunks overtake each other; left out, chunks are numbered as they arrive.',
  }),
  'X-Language': z
    .string()
    .optional()
    .meta({ description: 'Code such as `en`, with the first chunk; left out or `auto`: detected.' }),
})

const binary = { schema: { type: 'string' as const, format: 'binary' } }

/** The body of the event stream, in words: OpenAPI 3.1 has no schema for server-sent events. */
const EVENTS = `Server-sent events, each with an \`id\` to go on from (\`Last-Event-ID\`):

- \`segment\`: a LiveSegment that is final: a new one, or one that was revised;
- \`drafts\`: an array of LiveSegments, in place of all drafts before;
- \`session\`: \`{state, revision}\`. After \`CLOSED\` the stream ends; who comes again with that event's id gets 204.

Comments keep the connection alive. A browser reads the stream with fetch(), which can send the token; EventSource can't, and a token in the address would end up in logs.`

export const LIVE_OPERATIONS: Record<LiveRouteName, ZodOpenApiOperationObject> = {
  stream: {
    summary: 'Post a chunk of a session’s sound',
    description:
      'About 3 seconds each: WebM or Ogg as a MediaRecorder cuts it (header only in the first chunk), fragmented MP4, raw PCM (`audio/pcm;rate=16000`), or each chunk a file of its own. Any content type but text and JSON.',
    requestParams: { header: ChunkHeaders },
    requestBody: {
      required: true,
      content: { 'application/octet-stream': binary, 'audio/*': binary },
    },
    responses: {
      '200': { description: 'The chunk is durable, now or since before.', ...jsonOf(StreamReply) },
      ...failures('bad-request', 'unknown-language', 'too-large', 'session-closed', 'unauthorized'),
    },
  },
  speaker: {
    summary: 'Say who speaks from now on',
    requestBody: { required: true, ...jsonOf(SpeakerRequest) },
    responses: {
      '200': { description: 'Noted.', ...jsonOf(SpeakerReply) },
      ...failures('bad-request', 'session-closed', 'unauthorized'),
    },
  },
  transcription: {
    summary: 'Segments of a session: finals, then drafts',
    requestParams: { path, query: TranscriptionQuery },
    responses: {
      '200': { description: 'As it is now.', ...jsonOf(TranscriptionReply) },
      ...failures('bad-request', 'unknown-session', 'unauthorized'),
    },
  },
  events: {
    summary: 'Follow a session as it happens',
    requestParams: {
      path,
      header: z.object({
        'Last-Event-ID': z.string().optional().meta({ description: 'Go on after this event.' }),
      }),
    },
    responses: {
      '200': { description: EVENTS, content: { 'text/event-stream': { schema: { type: 'string' } } } },
      '204': { description: 'The session is closed, and all of it was sent before.' },
      ...failures('unknown-session', 'unauthorized'),
    },
  },
  sessions: {
    summary: "The caller's sessions, newest first",
    requestParams: { query: SessionListQuery },
    responses: {
      '200': { description: 'One page.', ...jsonOf(SessionList) },
      ...failures('bad-request', 'unauthorized'),
    },
  },
  session: {
    summary: 'State, lag, chunks and speakers of a session',
    requestParams: { path },
    responses: {
      '200': { description: 'The session.', ...jsonOf(SessionView) },
      ...failures('unknown-session', 'unauthorized'),
    },
  },
  closeSession: {
    summary: 'No more sound will come: every word becomes final, and the whole recording is heard again',
    requestParams: { path },
    responses: {
      '200': { description: 'The session, CLOSING or CLOSED.', ...jsonOf(SessionView) },
      ...failures('unknown-session', 'unauthorized'),
    },
  },
  eraseSession: {
    summary: 'Erase sound, words, names, the job of the whole recording, and all records',
    requestParams: { path },
    responses: {
      '204': { description: 'Nothing of it is left.' },
      ...failures('unknown-session', 'unauthorized'),
    },
  },
  deliveries: {
    summary: "The caller's webhooks of the last 30 days, newest first",
    requestParams: { query: DeliveryQuery },
    responses: {
      '200': { description: 'One page.', ...jsonOf(DeliveryList) },
      ...failures('bad-request', 'unauthorized'),
    },
  },
  replayDelivery: {
    summary: 'Send a webhook again, under its own id',
    requestParams: { path: z.object({ deliveryId: WebhookId }) },
    responses: {
      '202': { description: 'It is PENDING again.', ...jsonOf(DeliveryView) },
      ...failures('not-found', 'unauthorized'),
    },
  },
  testWebhook: {
    summary: 'Send an event of type `webhook.test`',
    requestBody: { required: false, ...jsonOf(TestRequest) },
    responses: {
      '202': { description: 'On its way; the log tells how it was taken.', ...jsonOf(DeliveryView) },
      ...failures('bad-request', 'wrong-state', 'unauthorized'),
    },
  },
}
