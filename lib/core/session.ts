import * as z from 'zod'
import { ERRORS, type ErrorCode } from './errors.ts'
import { JobId, Tenant } from './job.ts'

/** Chosen by the client; part of object keys, so nothing that could climb out of a prefix. */
export const SessionId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$/,
    'letters, digits and . _ : ~ -, beginning with a letter or digit, at most 128',
  )

export interface SessionRef {
  readonly tenant: string
  readonly sessionId: string
}

/** OPEN takes sound; CLOSING hears what is left; CLOSED never changes but for its revision. */
export const SESSION_STATES = ['OPEN', 'CLOSING', 'CLOSED'] as const

/**
 * One live stream of audio, as its clients know it. What the worker knows of it is a record of its own (`live/state.ts`),
 * so that a client's request and a worker's step never wait for each other. Times are epoch milliseconds.
 */
export const Session = z.object({
  tenant: Tenant,
  sessionId: SessionId,
  /** Goes up with every write: the stores compare it. */
  version: z.int(),
  state: z.enum(SESSION_STATES),
  createdAt: z.int(),
  updatedAt: z.int(),
  /** Asked for by the client (`X-Language`); left out: detected once, then pinned. */
  language: z.string().optional(),
  /** Names and terms as they should be spelt. */
  prompt: z.string().optional(),
  closedBy: z.enum(['client', 'idle', 'limit']).optional(),
  /** The batch job that hears the whole recording again, once there is one. */
  jobId: JobId.optional(),
  /** 1 while live; 2 once the words of the whole recording have taken the place of the live ones. */
  revision: z.int(),
  lastError: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).optional(),
})
export type Session = z.infer<typeof Session>

/** What a client has posted: stored once per session and `seq`, bytes in the object store (keys.ts). */
export const Chunk = z.object({
  seq: z.int().nonnegative(),
  /** Names this post among others of the same seq; part of the object's key. */
  post: z.string().regex(/^[0-9A-Za-z-]{1,40}$/),
  sizeBytes: z.int(),
  /** As the client said; `application/octet-stream` says nothing. */
  contentType: z.string(),
  /** Server's clock, epoch ms. */
  arrivedAt: z.int(),
})
export type Chunk = z.infer<typeof Chunk>

/** From `at` on this person speaks, until the next event says otherwise. Epoch ms. An empty name: nobody. */
export const SpeakerEvent = z.object({
  name: z.string().max(200),
  /** When it was true, if the client said so; else when it arrived. */
  at: z.int(),
  /** Server's clock. */
  arrivedAt: z.int(),
  /** `at` was given by the client, so no delay has to be guessed. */
  given: z.boolean(),
})
export type SpeakerEvent = z.infer<typeof SpeakerEvent>
