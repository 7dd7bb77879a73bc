import { VerbatimError } from '../errors.ts'
import { isTerminal, type Job } from '../job.ts'
import type { JobRef } from '../keys.ts'
import { moveJob } from '../move.ts'
import type { Clock, JobStore, ObjectStore } from '../ports.ts'
import { dropWork } from './5-stitch.ts'

export interface DeadLetterPorts {
  readonly jobs: JobStore
  readonly objects: ObjectStore
  readonly clock: Clock
}

/**
 * Ends a job that nobody could bring further, so that its owner is told and does not wait for ever. `busy`: a worker
 * other than `by` is at it. Messages come twice, and the second one of a long job dies while the first is worked on.
 */
export const failAbandoned =
  (ports: DeadLetterPorts) =>
  async (ref: JobRef, by?: string): Promise<'failed' | 'past' | 'gone' | 'busy'> => {
    const { code, message, hint } = new VerbatimError(
      'engine-crashed',
      'The worker gave up on this recording.',
    )
    const error = { code, message, hint }
    const atWork = (job: Job) =>
      job.status === 'PROCESSING' && job.lease.until > ports.clock() && job.lease.owner !== by
    const moved = await moveJob(ports, ref, (job) =>
      isTerminal(job.status) || atWork(job) ? null : { status: 'FAILED', error },
    )
    if (moved.outcome === 'gone') return 'gone'
    if (!isTerminal(moved.job.status)) return 'busy'
    await dropWork(ports.objects, ref)
    return moved.outcome === 'moved' ? 'failed' : 'past'
  }
