import type { JobRef } from '../keys.ts'
import type { WorkMessage } from './messages.ts'
import { type JobPorts, workOnJob } from './work-job.ts'
import type { WorkOutcome } from './work-outcome.ts'
import { workOnShard } from './work-shard.ts'

export type WorkPorts = JobPorts

/**
 * Does what a message asks for: a job (plan it, and hear it where it is short) or one shard of a long one. `owner` names
 * this delivery; `drain` fires when the worker is asked to stop, which gives the work back unharmed.
 */
export const workOn =
  (ports: WorkPorts) =>
  ({ tenant, jobId, shard }: WorkMessage, owner: string, drain: AbortSignal): Promise<WorkOutcome> => {
    const ref: JobRef = { tenant, jobId }
    return shard === undefined
      ? workOnJob(ports)(ref, owner, drain)
      : workOnShard(ports)(ref, shard, owner, drain)
  }
