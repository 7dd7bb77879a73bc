import { VerbatimError } from '../errors.ts'
import { type Job, jobBase } from '../job.ts'
import { type JobRef, prefixesOf, uploadKey } from '../keys.ts'
import { moveJob } from '../move.ts'
import type { Clock, JobStore, ObjectStore, ShardStore } from '../ports.ts'
import { jobLane } from '../webhooks/delivery.ts'
import type { DeliveryStore } from '../webhooks/ports.ts'

export interface ErasePorts {
  readonly jobs: JobStore
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly shards: Pick<ShardStore, 'remove'>
}

export interface EraseJobPorts extends ErasePorts {
  readonly deliveries: Pick<DeliveryStore, 'forget'>
}

/** Stops a job that has not ended; its recording and half-done work are deleted. Cancelling twice is harmless. */
export const cancelJob =
  (ports: ErasePorts) =>
  async (tenant: string, jobId: string): Promise<Job> => {
    const ref = { tenant, jobId }
    const before = await ports.jobs.get(tenant, jobId)
    const moved = await stop(ports, ref)
    if (moved.outcome === 'gone') throw new VerbatimError('unknown-job', 'There is no such job.')
    if (moved.job.status !== 'CANCELLED') {
      throw new VerbatimError(
        'wrong-state',
        `The job is ${moved.job.status} and can't be cancelled any more.`,
      )
    }
    if (before) await abortParts(ports.objects, before)
    await eraseObjects(ports.objects, ref)
    await ports.shards.remove(ref)
    return moved.job
  }

/**
 * Deletes everything there is of a job: recording, work files, transcripts, the webhook that told of its end, record.
 * The record goes last, so an erasure that was interrupted can be asked for again.
 */
export const eraseJob =
  (ports: EraseJobPorts) =>
  async (tenant: string, jobId: string): Promise<void> => {
    const ref = { tenant, jobId }
    const job = await ports.jobs.get(tenant, jobId)
    if (!job) throw new VerbatimError('unknown-job', 'There is no such job.')
    const stopped = await stop(ports, ref)
    await abortParts(ports.objects, job)
    await eraseObjects(ports.objects, ref)
    await ports.shards.remove(ref)
    // As it is now: it may have ended since it was read.
    if (stopped.outcome === 'refused' && stopped.job.options.webhookUrl !== undefined) {
      await ports.deliveries.forget(tenant, jobLane(stopped.job))
    }
    await ports.jobs.remove(tenant, jobId)
  }

/** Every object of a job. Also the end of a job that was erased while somebody worked on it. */
export async function eraseObjects(objects: ObjectStore, ref: JobRef): Promise<void> {
  const found = await Promise.all(prefixesOf(ref).map((prefix) => objects.list(prefix)))
  await objects.remove(found.flat())
}

const stop = (ports: ErasePorts, ref: JobRef) =>
  moveJob(ports, ref, (job) =>
    job.status === 'UPLOADING' || job.status === 'QUEUED' || job.status === 'PROCESSING'
      ? { status: 'CANCELLED' }
      : null,
  )

async function abortParts(objects: ObjectStore, job: Job): Promise<void> {
  if (job.status !== 'UPLOADING' || !job.upload.multipart) return
  await objects.abortMultipart(uploadKey(job), job.upload.multipart.uploadId)
}

/** An upload that was not made in time ends its job; for reads that meet such a job. */
export async function expireIfOverdue(
  ports: ErasePorts & { settings: { uploadGraceMs: number } },
  job: Job,
): Promise<Job> {
  const overdue = (it: Job) =>
    it.status === 'UPLOADING' && it.upload.expiresAt + ports.settings.uploadGraceMs <= ports.clock()
  // A recording that is there has arrived in time: its event is on the way, however long that takes.
  if (!overdue(job) || (await ports.objects.head(uploadKey(job)))) return job
  const moved = await moveJob(ports, jobBase(job), (it) => (overdue(it) ? { status: 'EXPIRED' } : null))
  if (moved.outcome === 'gone') return job
  if (moved.outcome === 'moved') {
    await abortParts(ports.objects, job)
    await ports.objects.remove([uploadKey(job)])
  }
  return moved.job
}
