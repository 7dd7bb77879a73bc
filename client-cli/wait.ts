import { JobStatus } from '../lib/core/contract.ts'
import { VerbatimError } from '../lib/core/errors.ts'
import { isTerminal } from '../lib/core/job.ts'
import { JobFailed } from './failure.ts'
import type { Api } from './http.ts'
import { pauseFor } from './retry.ts'

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
  readonly onStatus?: ((job: JobStatus) => void) | undefined
}

export const readStatus = (api: Api, jobId: string, signal?: AbortSignal): Promise<JobStatus> =>
  api.call('GET', `/status/${encodeURIComponent(jobId)}`, { schema: JobStatus, signal })

/**
 * Looks at a job until it has ended, in whatever way. Survives restarts of the service (Pace). Throws `timeout`, or
 * `network` when the service stays away; the job goes on in both cases and the hint says how to find it again.
 */
export async function waitFor(
  api: Api,
  jobId: string,
  { signal, timeoutMs, onStatus }: WaitOptions,
): Promise<JobStatus> {
  const limit = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  const stop = AbortSignal.any([signal, limit].filter((one) => one !== undefined))
  let pauseMs = api.pace.pollMs
  try {
    for (;;) {
      const job = await readStatus(api, jobId, stop)
      onStatus?.(job)
      if (isTerminal(job.status)) return job
      await pauseFor(pauseMs, stop)
      pauseMs = Math.min(pauseMs * 1.5, api.pace.maxPollMs)
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw findable(
      limit?.aborted ? new VerbatimError('timeout', 'The transcript was not ready in time.') : error,
      jobId,
    )
  }
}

/** The same error with a hint that leads back to the job, where that may help. */
export function findable(error: unknown, jobId: string): unknown {
  if (!(error instanceof VerbatimError) || !error.traits.retry) return error
  const hint = `The job goes on: \`verbatim get ${jobId} --wait\` picks it up.`
  return new VerbatimError(error.code, error.message, { hint, cause: error })
}

/** The finished job, or its reason as an error. Throws `wrong-state` for one that is still on its way. */
export function completed(job: JobStatus): Extract<JobStatus, { status: 'COMPLETED' }> {
  if (job.status === 'COMPLETED') return job
  if ('error' in job) throw new JobFailed(job.error)
  throw new VerbatimError('wrong-state', `The job is ${job.status}; there is no transcript yet.`, {
    hint: `\`verbatim get ${job.jobId} --wait\` waits for it.`,
  })
}
