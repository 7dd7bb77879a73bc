import { VerbatimError } from '../errors.ts'
import { isTerminal, type Job, type JobIn } from '../job.ts'
import type { JobRef } from '../keys.ts'
import { type MoveOutcome, moveJob } from '../move.ts'
import type { Queue } from '../ports.ts'
import { failedShard } from './failed-shard.ts'
import { jobError, type LeavePorts, tidy } from './leave.ts'
import type { WorkMessage } from './messages.ts'

export interface DeadLetterPorts extends LeavePorts {
  /** Where a worker is told that a job can be brought to its end without its last shard. */
  readonly work?: Queue
}

const abandoned = () => new VerbatimError('engine-crashed', 'The worker gave up on this recording.')

export type Abandoned = 'failed' | 'past' | 'gone' | 'busy'

/**
 * Ends a job that nobody could bring further, so that its owner is told and does not wait for ever. `busy`: a worker
 * other than `by` is at it. Messages come twice, and the second one of a long job dies while the first is worked on.
 */
export const failAbandoned =
  (ports: DeadLetterPorts) =>
  async (ref: JobRef, { by, shard }: { by?: string; shard?: number } = {}): Promise<Abandoned> => {
    if (shard !== undefined) return failShard(ports, ref, shard)
    const atWork = (job: Job) =>
      job.status === 'PROCESSING' && job.lease.until > ports.clock() && job.lease.owner !== by
    // Each shard has a message of its own by then, and lives or dies by that.
    const distributed = (job: Job) => job.status === 'PROCESSING' && job.shards?.sent === true
    const moved = await moveJob(ports, ref, (job) =>
      isTerminal(job.status) || atWork(job) || distributed(job)
        ? null
        : { status: 'FAILED', error: jobError(abandoned()) },
    )
    if (moved.outcome === 'gone') return 'gone'
    if (moved.job.status === 'PROCESSING' && distributed(moved.job)) return failIfHeard(ports, moved.job)
    if (!isTerminal(moved.job.status)) return 'busy'
    return tidied(ports, ref, moved)
  }

async function failShard(ports: DeadLetterPorts, ref: JobRef, shard: number): Promise<Abandoned> {
  const job = await ports.jobs.get(ref.tenant, ref.jobId)
  if (job?.status !== 'PROCESSING') {
    await tidy(ports, ref, job?.status)
    return job ? 'past' : 'gone'
  }
  const tally = await ports.shards.read(ref)
  const heard = tally?.ended.includes(shard)
  if (!tally) return failUnjoined(ports, ref)
  // Its sound was heard; what its worker could not do is join the whole. Another one may.
  if (heard && tally.ended.length < (job.shards?.total ?? 0)) return 'past'
  if (heard) return joinElsewhere(ports, ref)
  const outcome = await failedShard(ports, job, { shard, workMs: 0, error: abandoned() })
  return outcome === 'gap' ? joinElsewhere(ports, ref) : outcome
}

/** Has the shards joined by whoever takes the message, if all of them have ended. */
async function joinElsewhere({ work }: DeadLetterPorts, { tenant, jobId }: JobRef): Promise<Abandoned> {
  await work?.send(JSON.stringify({ tenant, jobId } satisfies WorkMessage))
  return 'past'
}

/** The message that is dead would have joined the shards, if all of them have ended; else it was about nothing. */
async function failIfHeard(ports: DeadLetterPorts, job: JobIn<'PROCESSING'>): Promise<Abandoned> {
  const tally = await ports.shards.read(job)
  const heard = tally && tally.ended.length >= (job.shards?.total ?? Number.POSITIVE_INFINITY)
  return heard ? failUnjoined(ports, job) : 'past'
}

async function failUnjoined(ports: DeadLetterPorts, ref: JobRef): Promise<Abandoned> {
  const moved = await moveJob(ports, ref, (job) =>
    job.status === 'PROCESSING' && job.lease.until <= ports.clock()
      ? { status: 'FAILED', error: jobError(abandoned()) }
      : null,
  )
  if (moved.outcome === 'gone') return 'gone'
  if (!isTerminal(moved.job.status)) return 'busy'
  return tidied(ports, ref, moved)
}

/** The worker may have died while it wrote the transcript, or while it tidied up. */
async function tidied(
  ports: DeadLetterPorts,
  ref: JobRef,
  { outcome, job }: Exclude<MoveOutcome, { outcome: 'gone' }>,
): Promise<Abandoned> {
  await tidy(ports, ref, job.status)
  return outcome === 'moved' ? 'failed' : 'past'
}
