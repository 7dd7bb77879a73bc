import { toVerbatimError, type VerbatimError } from '../errors.ts'
import type { Job, JobError } from '../job.ts'
import { type JobRef, transcriptKey } from '../keys.ts'
import type { Clock, JobStore, Log, ObjectStore, ShardStore } from '../ports.ts'
import type { BatchSettings } from '../settings.ts'
import { dropWork } from './5-stitch.ts'
import type { Ended } from './announce-end.ts'
import { eraseObjects } from './erase.ts'
import { type Hold, type Lost, released } from './lease.ts'
import type { WorkOutcome } from './work-outcome.ts'

export interface LeavePorts {
  readonly jobs: JobStore
  readonly objects: ObjectStore
  readonly shards: ShardStore
  readonly clock: Clock
  readonly settings: BatchSettings
  readonly ended?: Ended
}

/**
 * Removes what a worker has left of a job that has ended meanwhile: all of it where nobody owns it any more, else what
 * was kept for other workers. `undefined`: the job was erased.
 */
export async function tidy(ports: LeavePorts, ref: JobRef, status: Job['status'] | undefined): Promise<void> {
  if (status === undefined || status === 'CANCELLED') {
    await eraseObjects(ports.objects, ref)
    await ports.shards.remove(ref)
  }
  if (status === 'COMPLETED' || status === 'EXPIRED') await dropWork(ports, ref)
  if (status === 'FAILED') await keepRecording(ports, ref)
}

/** A job that failed keeps nothing else: files of a transcript that was half written would have no owner. */
export async function keepRecording(ports: LeavePorts, ref: JobRef): Promise<void> {
  await dropWork(ports, ref)
  await ports.objects.remove(await ports.objects.list(transcriptKey(ref, '')))
}

/**
 * The job is no longer ours. One that has ended must keep nothing that has no owner, whatever was written meanwhile, and
 * whoever waits for the end is told: the end may have been our own write, whose answer was lost.
 */
export async function leave(ports: LeavePorts, ref: JobRef, lost: Lost, log: Log): Promise<WorkOutcome> {
  log.info('job left', { code: lost })
  // As it is now: who has taken it over may have ended it since.
  const job = await ports.jobs.get(ref.tenant, ref.jobId)
  // Held by nobody: a write of ours that was not answered has let go of it, so what comes after that is still to be done.
  if (job?.status === 'PROCESSING') return { outcome: job.lease.until > ports.clock() ? 'stopped' : 'again' }
  await tidy(ports, ref, job?.status)
  await ports.ended?.(ref)
  return { outcome: 'stopped' }
}

/** Lets go of a job as it is: somebody else goes on with it. */
export async function giveBack(ports: LeavePorts, ref: JobRef, hold: Hold, log: Log): Promise<WorkOutcome> {
  const outcome = await hold.finish((job) => ({ ...job, lease: released(ports) }))
  if (outcome !== 'finished') return leave(ports, ref, outcome, log)
  log.info('job given back')
  return { outcome: 'again' }
}

/** Decides what an error means for a job that we hold: another attempt, or its end. */
export async function giveUp(
  ports: LeavePorts,
  ref: JobRef,
  hold: Hold,
  thrown: unknown,
  log: Log,
): Promise<WorkOutcome> {
  const { settings } = ports
  const error = knownError(thrown, log)
  let again = false
  const outcome = await hold.finish((job) => {
    const failures = job.failures + 1
    again = error.traits.retry && failures < settings.maxFailures
    return again ? { ...job, failures, lease: released(ports) } : { status: 'FAILED', error: jobError(error) }
  })
  if (outcome !== 'finished') return leave(ports, ref, outcome, log)
  log.warn(again ? 'attempt failed' : 'job failed', { code: error.code })
  if (again) return { outcome: 'again' }
  await keepRecording(ports, ref)
  await ports.ended?.(ref)
  return { outcome: 'failed' }
}

/** The error of the table; what nobody foresaw is logged with the place where it happened, and without its words. */
export function knownError(thrown: unknown, log: Log): VerbatimError {
  const error = toVerbatimError(thrown)
  const source = error.cause instanceof Error ? error.cause : error
  if (error.code === 'internal') log.error('unforeseen error', { stack: source.stack ?? '' })
  return error
}

export const jobError = ({ code, message, hint }: VerbatimError): JobError => ({ code, message, hint })
