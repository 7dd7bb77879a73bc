import { VerbatimError } from '../errors.ts'
import type { JobRef } from '../keys.ts'
import type { JobStore } from '../ports.ts'
import type { BatchSettings } from '../settings.ts'

export interface WatchPorts {
  readonly jobs: Pick<JobStore, 'get'>
  readonly settings: Pick<BatchSettings, 'heartbeatMs'>
}

/** Looks every `heartbeatMs` whether a job is still under way; `signal` fires when it is not. For who holds no lease. */
export function watchJob({ jobs, settings }: WatchPorts, { tenant, jobId }: JobRef) {
  const ended = new AbortController()
  let looking = false
  const look = async () => {
    looking = true
    try {
      const job = await jobs.get(tenant, jobId)
      if (job?.status !== 'PROCESSING') ended.abort(new VerbatimError('cancelled', 'The job has ended.'))
    } finally {
      looking = false
    }
  }
  // A look that fails is repeated at the next beat.
  const timer = setInterval(() => void (looking || look().catch(() => {})), settings.heartbeatMs)
  return { signal: ended.signal, drop: () => clearInterval(timer) }
}
