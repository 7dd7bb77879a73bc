import type { Job, JobOptions, Status } from '../../../lib/core/job.ts'
import type { NextState } from '../../../lib/core/move.ts'
import { START, type TestPorts } from '../../support/ports.ts'

// Jobs in every state, for tests that begin in the middle.

export const TENANT = 'acme'
export const OWNER = 'worker-1/a'

/** The lease of a PROCESSING job lasts until then. */
export const LEASED_UNTIL = START + 60_000

/** What makes up each state. */
export const STATES: { readonly [S in Status]: Extract<NextState, { status: S }> } = {
  UPLOADING: { status: 'UPLOADING', upload: { expiresAt: START + 3_600_000 } },
  QUEUED: { status: 'QUEUED' },
  PROCESSING: {
    ...{ status: 'PROCESSING', startedAt: START, attempt: 1, failures: 0, progress: 0 },
    lease: { owner: OWNER, until: LEASED_UNTIL },
  },
  COMPLETED: {
    ...{ status: 'COMPLETED', startedAt: START, completedAt: START + 1000, durationMs: 5000, language: 'en' },
  },
  FAILED: { status: 'FAILED', error: { code: 'bad-audio', message: 'Broken.', hint: 'Mend it.' } },
  CANCELLED: { status: 'CANCELLED' },
  EXPIRED: { status: 'EXPIRED' },
}

/** Puts a job into the store as it is, whatever led there. */
export async function storeJob(
  ports: Pick<TestPorts, 'jobs' | 'newJobId' | 'clock'>,
  state: Status | NextState,
  base: Partial<Omit<Job, 'options'>> & { options?: Partial<JobOptions> } = {},
): Promise<Job> {
  const now = ports.clock()
  const job = {
    ...{ jobId: ports.newJobId(), tenant: TENANT, version: 1, createdAt: now, updatedAt: now },
    ...{ filename: 'talk.wav', contentType: 'audio/wav', sizeBytes: 4 },
    ...base,
    options: { channels: 'mix', formats: ['json', 'srt', 'vtt', 'txt'], ...base.options },
    ...(typeof state === 'string' ? STATES[state] : state),
  } as Job
  await ports.jobs.create(job)
  return job
}

/** The job as the store has it now. */
export async function stored(
  { jobs }: Pick<TestPorts, 'jobs'>,
  { tenant, jobId }: Pick<Job, 'tenant' | 'jobId'>,
) {
  return jobs.get(tenant, jobId)
}
