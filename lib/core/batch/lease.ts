import { VerbatimError } from '../errors.ts'
import type { Job, JobIn } from '../job.ts'
import type { JobRef } from '../keys.ts'
import { type MoveOutcome, moveJob, type NextState } from '../move.ts'
import type { Clock, JobStore } from '../ports.ts'
import type { BatchSettings } from '../settings.ts'

export interface LeasePorts {
  readonly jobs: JobStore
  readonly clock: Clock
  readonly settings: BatchSettings
  /** Knows better than the lease: true when `owner` can't be at work any more (a host that has been restarted). */
  readonly ownerIsDead?: (owner: string) => boolean
}

export type Taken =
  | { readonly outcome: 'taken'; readonly job: JobIn<'PROCESSING'> }
  /** Another worker holds it. */
  | { readonly outcome: 'busy' }
  /** Its shards are under way, or all heard: nobody has to plan it. */
  | { readonly outcome: 'sharded'; readonly job: JobIn<'PROCESSING'> }
  /** Nothing to do: the job is in a final state, or its upload has not arrived. */
  | { readonly outcome: 'past'; readonly job: Job }
  | { readonly outcome: 'gone' }

/** Makes `owner` the one worker of a job that is to be planned. A running job can't be taken before its lease has run out. */
export async function takeJob(ports: LeasePorts, ref: JobRef, owner: string): Promise<Taken> {
  const { clock, settings } = ports
  const moved = await moveJob(ports, ref, (job) => {
    const now = clock()
    const lease = { owner, until: now + settings.leaseMs }
    if (job.status === 'QUEUED') {
      return { status: 'PROCESSING', startedAt: now, attempt: 1, failures: 0, progress: 0, lease }
    }
    if (job.status !== 'PROCESSING' || job.shards?.sent || isHeld(ports, job)) return null
    return { ...job, attempt: job.attempt + 1, lease }
  })
  if (moved.outcome === 'gone') return moved
  const { job } = moved
  if (job.status !== 'PROCESSING') return { outcome: 'past', job }
  if (moved.outcome === 'moved') return { outcome: 'taken', job }
  return job.shards?.sent ? { outcome: 'sharded', job } : { outcome: 'busy' }
}

/**
 * Makes `owner` the one who joins the shards. `sharded`: whoever sends them has not ended, and looks himself, after that,
 * whether all of them have.
 */
export async function takeToStitch(ports: LeasePorts, ref: JobRef, owner: string): Promise<Taken> {
  const moved = await moveJob(ports, ref, (job) => {
    if (job.status !== 'PROCESSING' || !job.shards?.sent || isHeld(ports, job)) return null
    return {
      ...job,
      attempt: job.attempt + 1,
      lease: { owner, until: ports.clock() + ports.settings.leaseMs },
    }
  })
  if (moved.outcome === 'gone') return moved
  const { job } = moved
  if (job.status !== 'PROCESSING') return { outcome: 'past', job }
  if (moved.outcome === 'moved') return { outcome: 'taken', job }
  return job.shards?.sent ? { outcome: 'busy' } : { outcome: 'sharded', job }
}

/** The lease of a job that anybody may take. */
export const released = ({ clock }: Pick<LeasePorts, 'clock'>) => ({ owner: 'nobody', until: clock() })

const isHeld = ({ clock, ownerIsDead = () => false }: LeasePorts, { lease }: JobIn<'PROCESSING'>): boolean =>
  lease.until > clock() && !ownerIsDead(lease.owner)

/** What a worker found out about its job; it goes into the record with the next renewal. */
export interface Findings {
  progress?: number
  workMs?: number
  engineMs?: number
  durationMs?: number
  language?: string
  shards?: NonNullable<JobIn<'PROCESSING'>['shards']>
}

/**
 * How a hold is lost: somebody cancelled or erased the job (`stopped`), or a second worker took it after our lease ran
 * out (`taken-over`) and may have ended it since (`ended`). Only in the first case are its files nobody's.
 */
export type Lost = 'stopped' | 'taken-over' | 'ended'

/** A worker's hold on a job: renewed in the background, and the one who notices that the job was cancelled. */
export interface Hold {
  /** Fires when the job is no longer ours: cancelled, erased, or taken over. */
  readonly signal: AbortSignal
  /** How the hold was lost, once `signal` has fired. */
  readonly lost: Lost | undefined
  note(findings: Findings): void
  /** Writes what was noted now. Undefined when that was done; else the hold is lost. */
  save(): Promise<Lost | undefined>
  /** Ends the hold with the job's next state, unless the job is no longer ours. */
  finish(next: (job: JobIn<'PROCESSING'>) => NextState): Promise<'finished' | Lost>
  /** Stops renewing. */
  drop(): void
}

/** Renews the lease of `owner` every `heartbeatMs` until the hold ends. */
export function holdJob(ports: LeasePorts, ref: JobRef, owner: string): Hold {
  const { clock, settings } = ports
  const ended = new AbortController()
  let lost: Lost | undefined
  const findings: Findings = {}

  const ours = (next: (job: JobIn<'PROCESSING'>) => NextState) =>
    moveJob(ports, ref, (job) =>
      job.status === 'PROCESSING' && job.lease.owner === owner ? next(job) : null,
    )

  async function renew(): Promise<void> {
    const moved = await ours((job) => ({
      ...withFindings(job, findings),
      lease: { owner, until: clock() + settings.leaseMs },
    }))
    if (moved.outcome !== 'moved') {
      lost = lossOf(moved)
      const message = lost === 'stopped' ? 'The job was stopped.' : 'Another worker has taken the job.'
      ended.abort(new VerbatimError('cancelled', message))
    }
  }

  // A renewal that fails is tried again at the next beat; the lease outlasts many beats.
  let renewing: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    renewing = renewing.then(renew).catch(() => {})
  }, settings.heartbeatMs)

  return {
    signal: ended.signal,
    get lost() {
      return lost
    },
    note: (news) => void Object.assign(findings, news),
    async save() {
      await renewing
      await renew()
      return lost
    },
    drop: () => clearInterval(timer),
    finish: async (next) => {
      clearInterval(timer)
      await renewing
      const moved = await ours((job) => next(withFindings(job, findings)))
      return moved.outcome === 'moved' ? 'finished' : lossOf(moved)
    },
  }
}

function withFindings(job: JobIn<'PROCESSING'>, findings: Findings): JobIn<'PROCESSING'> {
  return { ...job, ...findings, progress: Math.max(job.progress, findings.progress ?? 0) }
}

function lossOf(moved: MoveOutcome): Lost {
  if (moved.outcome === 'gone' || moved.job.status === 'CANCELLED') return 'stopped'
  return moved.job.status === 'PROCESSING' ? 'taken-over' : 'ended'
}
