import * as z from 'zod'
import { JobId } from '../job.ts'
import { SESSION_STATES, SessionId } from '../session.ts'
import { Word } from '../transcript/shape.ts'

// The REST contract of the live lane. Names of fields that the first clients sent in snake case stay so.

const Iso = z.iso.datetime()

export const StreamReply = z
  .object({
    sessionId: SessionId,
    seq: z.int().meta({ description: 'Number of the chunk in its session; it is durable now.' }),
  })
  .meta({ id: 'StreamReply' })
export type StreamReply = z.infer<typeof StreamReply>

export const SpeakerRequest = z
  .strictObject({
    session_id: SessionId,
    speaker_name: z.string().max(200).meta({ description: 'Who speaks from now on; empty: nobody.' }),
    at: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: 'When it was so, if you know; else the time of arrival counts.' }),
  })
  .meta({ id: 'SpeakerRequest' })
export type SpeakerRequest = z.infer<typeof SpeakerRequest>

export const SpeakerReply = z.object({ sessionId: SessionId }).meta({ id: 'SpeakerReply' })

export const SegmentView = z
  .object({
    id: z.int().meta({ description: 'Its place in the session, from 0. Stable.' }),
    startMs: z.int().meta({ description: "From the session's first sound." }),
    endMs: z.int(),
    text: z.string().meta({ description: 'Empty where the second hearing found nothing said.' }),
    speaker: z.string().optional(),
    words: z.array(Word),
    final: z.boolean().meta({ description: 'Drafts are replaced by what comes next; finals stay.' }),
    revision: z.int(),
  })
  .meta({ id: 'LiveSegment' })

export const SessionView = z
  .object({
    sessionId: SessionId,
    state: z.enum(SESSION_STATES),
    createdAt: Iso,
    updatedAt: Iso,
    language: z.string().optional(),
    durationMs: z.int().meta({ description: 'Sound taken in so far.' }),
    lagMs: z.int().meta({ description: 'How long the oldest chunk that waits has waited; 0: none waits.' }),
    behind: z
      .boolean()
      .meta({ description: 'The worker does not keep up; nothing is lost, it comes later.' }),
    chunks: z.object({
      received: z.int(),
      missing: z.int().meta({ description: 'Never came; silence stands for them.' }),
      broken: z.int().meta({ description: 'Came, and gave no sound.' }),
    }),
    speakers: z.array(z.string()),
    segments: z.int(),
    jobId: JobId.optional().meta({ description: 'Of the whole recording, heard again after the end.' }),
    revision: z.int().meta({ description: '2 once the words of the whole recording have taken the place.' }),
    lastError: z.string().optional(),
    eventsUrl: z.url().optional().meta({
      description:
        'Where its events are, if not at `GET /api/transcriptions/{sessionId}/events` of the same host.',
    }),
  })
  .meta({ id: 'Session' })
export type SessionView = z.infer<typeof SessionView>

export const TranscriptionQuery = z.strictObject({
  after: z.coerce.number().int().min(-1).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
})

export const TranscriptionReply = z
  .object({
    sessionId: SessionId,
    state: z.enum(SESSION_STATES),
    revision: z.int(),
    change: z.int().meta({ description: 'Goes up whenever a segment changes.' }),
    segments: z.array(SegmentView).meta({ description: 'Finals after `after`, then drafts.' }),
  })
  .meta({ id: 'Transcription' })
export type TranscriptionReply = z.infer<typeof TranscriptionReply>

export const SessionListQuery = z.strictObject({
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

export const SessionList = z
  .object({
    sessions: z.array(SessionView.pick({ sessionId: true, state: true, createdAt: true, updatedAt: true })),
    cursor: z.string().optional(),
  })
  .meta({ id: 'SessionList' })
