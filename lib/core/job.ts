import * as z from 'zod'
import { ERRORS, type ErrorCode } from './errors.ts'
import { Gap } from './transcript/shape.ts'

/** The files a transcript can be downloaded as. */
export const FORMATS = ['json', 'srt', 'vtt', 'txt'] as const
export const Format = z.enum(FORMATS)
export type Format = z.infer<typeof Format>

/** `mix`: all channels as one; `separate`: each channel on its own, the channel being the speaker. */
export const Channels = z.enum(['mix', 'separate'])

/** A tenant's name; part of object keys, so nothing that could climb out of a prefix. */
export const Tenant = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, at most 63')
export const JobId = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'a job id has 26 letters and digits')

/** What the client asked for; fixed when the job is made. */
export const JobOptions = z.object({
  language: z.string().optional(),
  prompt: z.string().optional(),
  channels: Channels,
  formats: z.array(Format).min(1),
  metadata: z.record(z.string(), z.string()).optional(),
  /** A shard that cannot be heard is a gap in the transcript, and not the end of the job. */
  allowPartial: z.boolean().optional(),
  /** Told when the job has ended. */
  webhookUrl: z.string().optional(),
  /** The recording is that of a live session, whose speakers' names it gets. */
  sessionId: z.string().optional(),
})
export type JobOptions = z.infer<typeof JobOptions>

export const JobError = z.object({
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  hint: z.string().optional(),
  /** The stretch of the recording that it is about, where it is not the whole. */
  range: z.object({ startMs: z.int(), endMs: z.int() }).optional(),
})
export type JobError = z.infer<typeof JobError>

/** What a job took. */
export const Usage = z.object({
  /** Speech that was heard: the recording without its silence. */
  audioMs: z.int(),
  /** Time of all workers together, and how much of it was the engine's. */
  workMs: z.int(),
  engineMs: z.int(),
  /** From the first worker's beginning to the end. */
  wallMs: z.int(),
  shards: z.int(),
  /** Computing only, in US dollars; left out where no price is known. */
  costUsd: z.number().optional(),
})
export type Usage = z.infer<typeof Usage>

/** Who works on a job, and until when that holds without a renewal (epoch ms). */
export const Lease = z.object({ owner: z.string(), until: z.int() })

/** All times are epoch milliseconds. `version` goes up with every write: the stores compare it (ports.ts). */
const base = {
  jobId: JobId,
  tenant: Tenant,
  version: z.int(),
  filename: z.string(),
  contentType: z.string(),
  sizeBytes: z.int(),
  createdAt: z.int(),
  updatedAt: z.int(),
  options: JobOptions,
}

export const Job = z.discriminatedUnion('status', [
  z.object({
    ...base,
    status: z.literal('UPLOADING'),
    upload: z.object({
      /** The presigned URLs hold until then. */
      expiresAt: z.int(),
      multipart: z.object({ uploadId: z.string(), partSizeBytes: z.int(), parts: z.int() }).optional(),
    }),
  }),
  z.object({ ...base, status: z.literal('QUEUED') }),
  z.object({
    ...base,
    status: z.literal('PROCESSING'),
    startedAt: z.int(),
    /** How often a worker has taken this job, this time included. */
    attempt: z.int(),
    /** How many attempts have ended with an error that was worth a retry. A killed worker is not counted. */
    failures: z.int(),
    lease: Lease,
    /** Share of the audio that is transcribed, 0..1; never goes down. */
    progress: z.number(),
    /** Time that workers have spent on it, but for what one did after its last renewal and was killed. */
    workMs: z.int().optional(),
    /** Of that the engine's, for the language of a recording in shards; what it took for those is in the ShardStore. */
    engineMs: z.int().optional(),
    durationMs: z.int().optional(),
    language: z.string().optional(),
    /** A recording that was cut into more than one shard; how far those are is in the ShardStore. */
    shards: z
      .object({
        total: z.int(),
        /** Speech in all of them. */
        audioMs: z.int(),
        /** Every worker's message is on its way. */
        sent: z.boolean(),
      })
      .optional(),
  }),
  z.object({
    ...base,
    status: z.literal('COMPLETED'),
    startedAt: z.int(),
    completedAt: z.int(),
    durationMs: z.int(),
    language: z.string().optional(),
    /** Not in jobs of before there were shards. */
    usage: Usage.optional(),
    /** Stretches that could not be heard (`allowPartial`). */
    gaps: z.array(Gap).optional(),
  }),
  z.object({ ...base, status: z.literal('FAILED'), error: JobError }),
  z.object({ ...base, status: z.literal('CANCELLED') }),
  z.object({ ...base, status: z.literal('EXPIRED') }),
])
export type Job = z.infer<typeof Job>
export type Status = Job['status']
export type JobIn<S extends Status> = Extract<Job, { status: S }>

export const STATUSES = [
  'UPLOADING',
  'QUEUED',
  'PROCESSING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
] as const satisfies readonly Status[]

/** Which state may follow which. PROCESSING follows itself: a lease is renewed or taken over. */
export const MOVES: Readonly<Record<Status, readonly Status[]>> = {
  UPLOADING: ['QUEUED', 'FAILED', 'CANCELLED', 'EXPIRED'],
  QUEUED: ['PROCESSING', 'FAILED', 'CANCELLED'],
  PROCESSING: ['PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED'],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
  EXPIRED: [],
}

export const isTerminal = (status: Status): boolean => MOVES[status].length === 0

/** The fields that every state carries, for building the next one. */
export function jobBase(job: Job) {
  const { jobId, tenant, version, filename, contentType, sizeBytes, createdAt, updatedAt, options } = job
  return { jobId, tenant, version, filename, contentType, sizeBytes, createdAt, updatedAt, options }
}
