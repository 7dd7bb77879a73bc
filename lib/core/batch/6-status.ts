import type { JobList, JobStatus } from '../contract.ts'
import { ERRORS, type ErrorCode, VerbatimError } from '../errors.ts'
import type { Format, Job, JobError, JobIn, Status } from '../job.ts'
import { transcriptKey } from '../keys.ts'
import type { ShardStore, ShardTally } from '../ports.ts'
import { CONTENT_TYPES } from '../transcript/write.ts'
import { type ErasePorts, expireIfOverdue } from './erase.ts'
import { type EstimatePorts, paceOf } from './estimate.ts'
import { howFar } from './how-far.ts'

export interface StatusPorts extends ErasePorts, EstimatePorts {
  readonly shards: ErasePorts['shards'] & Pick<ShardStore, 'read'>
}

/** One job as its owner sees it, with presigned downloads when it is COMPLETED. */
export const readStatus =
  (ports: StatusPorts) =>
  async (tenant: string, jobId: string): Promise<JobStatus> => {
    const found = await ports.jobs.get(tenant, jobId)
    if (!found) throw new VerbatimError('unknown-job', 'There is no such job.')
    const seen = await look(ports, found)
    const { job } = seen
    if (job.status !== 'COMPLETED') return viewNow(ports, seen)
    return { ...viewCompleted(job), downloads: await presignDownloads(ports, job) }
  }

/** A page of the tenant's jobs, newest first. */
export const listJobs =
  (ports: StatusPorts) =>
  async (tenant: string, query: { status?: Status; cursor?: string; limit: number }): Promise<JobList> => {
    const { jobs, cursor } = await ports.jobs.list(tenant, query)
    const seen = await Promise.all(jobs.map((job) => look(ports, job)))
    const wanted = seen.filter(({ job }) => !query.status || job.status === query.status)
    const views = await Promise.all(wanted.map((one) => viewNow(ports, one)))
    return { jobs: views, ...(cursor !== undefined && { cursor }) }
  }

interface Seen {
  readonly job: Job
  /** Of a job whose shards are being heard. */
  readonly tally?: ShardTally
}

/** The job as it is now. Its tally is forgotten when it ends: one that is missing means to look again. */
async function look(ports: StatusPorts, found: Job): Promise<Seen> {
  const job = await expireIfOverdue(ports, found)
  if (job.status !== 'PROCESSING' || !job.shards) return { job }
  const tally = await ports.shards.read(job)
  return tally ? { job, tally } : { job: (await ports.jobs.get(job.tenant, job.jobId)) ?? job }
}

async function viewNow(ports: StatusPorts, { job, tally }: Seen): Promise<JobStatus> {
  const view = viewJob(job)
  if (job.status !== 'PROCESSING') return view
  return { ...view, ...howFar(job, { tally, nowMs: ports.clock(), pace: await paceOf(ports) }) }
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

/** The job as its record has it. */
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
  const { durationMs, completedAt, usage, gaps } = job
  return {
    ...viewBase(job),
    ...heardOf(job),
    ...{ status: job.status, progress: 1, durationMs, completedAt: iso(completedAt) },
    ...(usage && { usage }),
    ...(gaps && gaps.length > 0 && { gaps }),
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
