import * as z from 'zod'
import { Channels, FORMATS, Format, JobError, JobId, Usage as JobUsage } from './job.ts'
import { languageCode } from './languages.ts'
import { Gap as TranscriptGap } from './transcript/shape.ts'

// The REST contract: what is sent and what comes back. The hosts check with it, the clients parse with it, and
// /openapi.json is made from it. Times are ISO 8601 in UTC; lengths are milliseconds or bytes, as the name says.

const Iso = z.iso.datetime()

const MAX_METADATA_BYTES = 4096
/** Beyond any recording; what a deployment takes is less. */
const MAX_DURATION_MS = 30 * 86_400_000

/** Unknown fields are refused, so that a misspelt option is noticed and not silently ignored. */
export const UploadRequest = z
  .strictObject({
    filename: z.string().trim().min(1).max(255).meta({
      description: 'Name of the recording; the downloads are named after it.',
      example: 'interview.m4a',
    }),
    contentType: z
      .string()
      .max(255)
      .regex(
        /^[\w.+-]+\/[\w.+-]+(\s*;\s*[\w.+-]+=("[^"\r\n]*"|[\w.+-]+))*$/,
        'a media type such as audio/wav',
      )
      .default('application/octet-stream'),
    sizeBytes: z
      .int()
      .nonnegative()
      .meta({ description: 'Exact length of the file; the URL takes no other.' }),
    language: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .refine((text) => text === undefined || text === 'auto' || languageCode(text) !== undefined, {
        error: 'not a language that whisper knows',
        params: { code: 'unknown-language' },
      })
      .meta({ description: 'Code such as `en`; left out or `auto`: detected.' }),
    prompt: z.string().max(2000).optional().meta({
      description: 'Names and terms that occur in the recording, as they should be spelt.',
    }),
    channels: Channels.default('mix').meta({
      description: '`separate` hears each channel on its own and names the channel as the speaker.',
    }),
    formats: z
      .array(Format)
      .min(1)
      .default([...FORMATS])
      .transform((formats) => FORMATS.filter((format) => formats.includes(format))),
    multipart: z.boolean().default(false).meta({
      description: 'Ask for a plan of parts in place of a single URL; meant for files above 100 MB.',
    }),
    metadata: z
      .record(z.string().min(1).max(128), z.string().max(1024))
      .optional()
      .refine((data) => data === undefined || JSON.stringify(data).length <= MAX_METADATA_BYTES, {
        error: `at most ${MAX_METADATA_BYTES} bytes`,
      })
      .meta({ description: 'Your own labels; they come back with the status.' }),
    allowPartial: z.boolean().default(false).meta({
      description:
        'A stretch that cannot be transcribed becomes a gap in the transcript; else it ends the job as FAILED.',
    }),
    durationMs: z.int().min(1).max(MAX_DURATION_MS).optional().meta({
      description: 'Length of the recording, if you know it. Only makes the estimate better.',
    }),
    webhookUrl: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .optional()
      .meta({
        description:
          'Told when the job has ended: a POST of `{type, timestamp, data}` with Standard Webhooks headers, tried again for a day. https, and a public address.',
      }),
  })
  .meta({ id: 'UploadRequest' })
export type UploadRequest = z.infer<typeof UploadRequest>

const headers = z.record(z.string(), z.string())

export const Estimate = z
  .object({
    basis: z.enum(['duration', 'size']).meta({
      description:
        '`duration`: from the length that the request has named. `size`: from size and type alone, a rough guess and rather too much.',
    }),
    audioMs: z.int().meta({ description: 'The length that was reckoned with.' }),
    shards: z.int().meta({ description: 'Pieces that are transcribed side by side.' }),
    wallMs: z
      .int()
      .meta({ description: 'From the end of the upload to the transcript, if no other job is in the way.' }),
    costUsd: z
      .number()
      .optional()
      .meta({ description: 'Computing only, in US dollars; absent where the service knows no price.' }),
  })
  .meta({
    id: 'Estimate',
    description: 'What the job will take, as if someone spoke all the time: silence is not transcribed.',
  })
export type Estimate = z.infer<typeof Estimate>

const estimate = Estimate.optional().meta({
  description: 'Absent where the service knows nothing about its speed.',
})

export const SingleUpload = z
  .object({
    jobId: JobId,
    uploadUrl: z.url(),
    method: z.literal('PUT'),
    headers: headers.meta({ description: 'Send the file with exactly these headers.' }),
    expiresAt: Iso,
    estimate,
  })
  .meta({ id: 'SingleUpload' })

export const MultipartUpload = z
  .object({
    jobId: JobId,
    uploadId: z.string(),
    partSizeBytes: z.int().meta({ description: 'Every part has this length, only the last may be shorter.' }),
    partUrls: z.array(z.url()).meta({ description: 'PUT part n to partUrls[n-1], then call complete.' }),
    headers,
    expiresAt: Iso,
    estimate,
  })
  .meta({ id: 'MultipartUpload' })

export const UploadReply = z.union([SingleUpload, MultipartUpload])
export type UploadReply = z.infer<typeof UploadReply>

export const CompleteRequest = z
  .strictObject({
    parts: z
      .array(z.strictObject({ partNumber: z.int().min(1).max(10_000), etag: z.string().min(1).max(200) }))
      .optional()
      .meta({
        description: 'The ETags that the parts were answered with; left out: all parts that have arrived.',
      }),
  })
  .meta({ id: 'CompleteRequest' })
export type CompleteRequest = z.infer<typeof CompleteRequest>

const statusBase = {
  jobId: JobId,
  filename: z.string(),
  createdAt: Iso,
  updatedAt: Iso,
  progress: z.number().min(0).max(1).meta({
    description: 'Share of the speech that is transcribed; never goes down, and is 1 only when COMPLETED.',
  }),
  metadata: z.record(z.string(), z.string()).optional(),
}
const heard = { durationMs: z.int().optional(), language: z.string().optional() }

const running = {
  shards: z
    .object({ done: z.int(), total: z.int() })
    .optional()
    .meta({ description: 'Pieces of a long recording that are transcribed side by side.' }),
  speed: z.number().optional().meta({
    description: 'Milliseconds of the recording transcribed in each millisecond so far, such as 14.2.',
    example: 14.2,
  }),
  remainingMs: z.int().nonnegative().optional().meta({
    description: 'About how long it still takes; absent until there is something to reckon from.',
  }),
}

const Usage = JobUsage.meta({ id: 'Usage', description: 'What the job took.' })

export const Gap = TranscriptGap.meta({
  id: 'Gap',
  description:
    'A stretch that could not be transcribed, and why; `channel` counts from 0, where channels were heard apart.',
})
export type Gap = z.infer<typeof Gap>

const Download = z.url().optional()
export const Downloads = z
  .object({ json: Download, srt: Download, vtt: Download, txt: Download })
  .meta({ id: 'Downloads', description: 'Presigned URLs; ask for the status again when they have expired.' })

export const JobStatus = z
  .discriminatedUnion('status', [
    z.object({ ...statusBase, status: z.literal('UPLOADING'), expiresAt: Iso }),
    z.object({ ...statusBase, status: z.literal('QUEUED') }),
    z.object({ ...statusBase, ...heard, ...running, status: z.literal('PROCESSING') }),
    z.object({
      ...statusBase,
      ...heard,
      status: z.literal('COMPLETED'),
      durationMs: z.int(),
      completedAt: Iso,
      usage: Usage.optional(),
      gaps: z.array(Gap).optional().meta({ description: 'Only of a job with `allowPartial`.' }),
      downloads: Downloads.optional(),
    }),
    z.object({ ...statusBase, status: z.literal('FAILED'), error: JobError }),
    z.object({ ...statusBase, status: z.literal('CANCELLED'), error: JobError }),
    z.object({ ...statusBase, status: z.literal('EXPIRED'), error: JobError }),
  ])
  .meta({ id: 'JobStatus' })
export type JobStatus = z.infer<typeof JobStatus>

export const ListQuery = z.strictObject({
  status: z
    .enum(['UPLOADING', 'QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'])
    .optional(),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

export const JobList = z
  .object({
    jobs: z.array(JobStatus).meta({ description: 'Newest first, without downloads.' }),
    cursor: z.string().optional().meta({ description: 'Send it for the next page; absent on the last.' }),
  })
  .meta({ id: 'JobList' })
export type JobList = z.infer<typeof JobList>

export const ErrorReply = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      hint: z.string().optional(),
      requestId: z.string(),
    }),
  })
  .meta({ id: 'Error' })
export type ErrorReply = z.infer<typeof ErrorReply>

export const Health = z
  .object({ status: z.literal('ok'), version: z.string(), model: z.string() })
  .meta({ id: 'Health' })
