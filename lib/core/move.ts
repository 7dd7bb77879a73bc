import { type Job, jobBase, MOVES } from './job.ts'
import type { JobRef } from './keys.ts'
import type { Clock, JobStore } from './ports.ts'

/** `T` without its status-independent fields: what a decision says about the next state. */
export type NextState = DistributiveOmit<Job, keyof ReturnType<typeof jobBase>>
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

export type MoveOutcome =
  | { readonly outcome: 'moved'; readonly job: Job }
  /** The decision was to leave the job as it is. */
  | { readonly outcome: 'refused'; readonly job: Job }
  | { readonly outcome: 'gone' }

/**
 * Moves a job by conditional write. `decide` looks at the job as stored and names its next state, or null to
 * leave it; when somebody else writes first it is asked again about what they wrote, so a lost race is decided
 * on facts and never overwrites them.
 */
export async function moveJob(
  { jobs, clock }: { jobs: JobStore; clock: Clock },
  ref: JobRef,
  decide: (job: Job) => NextState | null,
): Promise<MoveOutcome> {
  let job = await jobs.get(ref.tenant, ref.jobId)
  while (job) {
    const next = decide(job)
    if (!next) return { outcome: 'refused', job }
    if (!MOVES[job.status].includes(next.status)) {
      throw new Error(`illegal move from ${job.status} to ${next.status}`)
    }
    const moved = { ...jobBase(job), ...next, version: job.version + 1, updatedAt: clock() } as Job
    const result = await jobs.replace(moved)
    if (result.outcome === 'replaced') return { outcome: 'moved', job: moved }
    if (result.outcome === 'gone') break
    job = result.current
  }
  return { outcome: 'gone' }
}
