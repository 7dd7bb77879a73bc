import type { JobList, JobStatus } from '../contract.ts'
import { ERRORS, type ErrorCode, VerbatimError } from '../errors.ts'
import type { Format, Job, JobError, JobIn, Status } from '../job.ts'
import { transcriptKey } from '../keys.ts'
import type { BatchSettings } from '../settings.ts'
import { CONTENT_TYPES } from '../transcript/write.ts'
import { type ErasePorts, expireIfOverdue } from './erase.ts'

export interface StatusPorts extends ErasePorts {
  readonly settings: BatchSettings
}

/** One job as its owner sees it, with presigned downloads when it is COMPLETED. */
export const readStatus =
  (ports: StatusPorts) =>
  async (tenant: string, jobId: string): Promise<JobStatus> => {
    const found = await ports.jobs.get(tenant, jobId)
    if (!found) throw new VerbatimError('unknown-job', 'There is no such job.')
    const job = await expireIfOverdue(ports, found)
    if (job.status !== 'COMPLETED') return viewJob(job)
    return { ...viewCompleted(job), downloads: await presignDownloads(ports, job) }
  }

/** A page of the tenant's jobs, newest first. */
export const listJobs =
  (ports: StatusPorts) =>
  async (tenant: string, query: { status?: Status; cursor?: string; limit: number }): Promise<JobList> => {
    const { jobs, cursor } = await ports.jobs.list(tenant, query)
    const current = await Promise.all(jobs.map((job) => expireIfOverdue(ports, job)))
    const wanted = current.filter((job) => !query.status || job.status === query.status)
    return { jobs: wanted.map(viewJob), ...(cursor !== undefined && { cursor }) }
  }

async function presignDownloads({ objects, clock, settings }: StatusPorts, job: Job) {
  const expiresAt = clock() + settings.downloadTtlMs
  const entries = job.options.formats.map(async (format) => {
    const filename = downloadName(job.filename, format)
    const key = transcriptKey(job, format)
    const { url } = await objects.presignGet({ key, filename, contentType: CONTENT_TYPES[format], expiresAt })
    return [format, url] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** `interview.m4a` becomes `interview.srt`. */
function downloadName(filename: string, format: Format): string {
  const stem = filename.replace(/^.*[\\/]/, '').replace(/(?<=.)\.[^.]*$/, '')
  return `${stem || 'transcript'}.${format}`
}

export function viewJob(job: Job): JobStatus {
  switch (job.status) {
    case 'UPLOADING':
      return { ...viewBase(job), status: job.status, expiresAt: iso(job.upload.expiresAt) }
    case 'QUEUED':
      return { ...viewBase(job), status: job.status }
    case 'PROCESSING':
      return { ...viewBase(job), ...heardOf(job), status: job.status, progress: job.progress }
    case 'COMPLETED':
      return viewCompleted(job)
    case 'FAILED':
      return { ...viewBase(job), status: job.status, error: job.error }
    case 'CANCELLED':
      return { ...viewBase(job), status: job.status, error: errorOf('cancelled', 'The job was cancelled.') }
    case 'EXPIRED':
      return {
        ...viewBase(job),
        status: job.status,
        error: errorOf('upload-expired', 'The recording was not uploaded in time.'),
      }
  }
}

function viewCompleted(job: JobIn<'COMPLETED'>) {
  const { durationMs, completedAt } = job
  return {
    ...viewBase(job),
    ...heardOf(job),
    ...{ status: job.status, progress: 1, durationMs, completedAt: iso(completedAt) },
  }
}

function viewBase({ jobId, filename, createdAt, updatedAt, options: { metadata } }: Job) {
  return {
    ...{ jobId, filename, createdAt: iso(createdAt), updatedAt: iso(updatedAt), progress: 0 },
    ...(metadata && { metadata }),
  }
}

const heardOf = ({ durationMs, language }: JobIn<'PROCESSING' | 'COMPLETED'>) => ({
  ...(durationMs !== undefined && { durationMs }),
  ...(language !== undefined && { language }),
})

const errorOf = (code: ErrorCode, message: string): JobError => ({ code, message, hint: ERRORS[code].hint })

const iso = (ms: number): string => new Date(ms).toISOString()
