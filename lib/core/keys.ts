import { JobId, Tenant } from './job.ts'
import type { Chunk, SessionRef } from './session.ts'

/** Where a job's bytes lie in the object store. Every key of a job begins with one of `prefixesOf`. */
export interface JobRef {
  readonly tenant: string
  readonly jobId: string
}

const UPLOADS = 'uploads/'

/** The recording as it was uploaded; its creation is the event that starts the work. */
export const uploadKey = ({ tenant, jobId }: JobRef): string => `${UPLOADS}${tenant}/${jobId}`

/** What one window of one channel sounded like to the engine, so that a retry need not hear it again. */
export const workKey = (ref: JobRef, name: string): string => `work/${ref.tenant}/${ref.jobId}/${name}`

export const transcriptKey = ({ tenant, jobId }: JobRef, format: string): string =>
  `transcripts/${tenant}/${jobId}.${format}`

export const workPrefix = (ref: JobRef): string => workKey(ref, '')

/** Everything that erasing a job must find: an exact key or what begins with a prefix that ends in / or a dot. */
export const prefixesOf = (ref: JobRef): readonly string[] => [
  uploadKey(ref),
  workPrefix(ref),
  transcriptKey(ref, ''),
]

/** Everything of a session but its job. */
export const sessionPrefix = ({ tenant, sessionId }: SessionRef): string => `live/${tenant}/${sessionId}/`

/** The bytes of a chunk as they were posted. Each post has a key of its own: two that claim one seq never mix. */
export const chunkKey = (ref: SessionRef, { seq, post }: Pick<Chunk, 'seq' | 'post'>): string =>
  `${sessionPrefix(ref)}chunks/${String(seq).padStart(8, '0')}-${post}`

/** Decoded sound from `startMs` of the session on: 16 kHz 16-bit little-endian samples. */
export const pcmKey = (ref: SessionRef, startMs: number): string =>
  `${sessionPrefix(ref)}pcm/${String(startMs).padStart(10, '0')}`

/** Reads an upload key back, trusting nothing: undefined for any key that `uploadKey` could not have made. */
export function parseUploadKey(key: string): JobRef | undefined {
  if (!key.startsWith(UPLOADS)) return undefined
  const [tenant, jobId, ...rest] = key.slice(UPLOADS.length).split('/')
  if (rest.length > 0 || !Tenant.safeParse(tenant).success || !JobId.safeParse(jobId).success)
    return undefined
  return { tenant: tenant!, jobId: jobId! }
}
