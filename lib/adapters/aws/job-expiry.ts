import type { Job } from '../../core/job.ts'

/** Epoch seconds, as DynamoDB's time to live wants them. */
export const epochSeconds = (ms: number): number => Math.floor(ms / 1000)

const DAY_S = 24 * 60 * 60

/**
 * When a job's record may go: `recordDays` after it has ended without a transcript, or after an upload that nobody made
 * was due. Undefined for a job that is under way, and for one with a transcript: that stays until its owner erases it.
 */
export function ttlOf(job: Job, recordDays: number): number | undefined {
  const from = (ms: number) => epochSeconds(ms) + recordDays * DAY_S
  switch (job.status) {
    case 'UPLOADING':
      return from(job.upload.expiresAt)
    case 'FAILED':
    case 'CANCELLED':
    case 'EXPIRED':
      return from(job.updatedAt)
    case 'QUEUED':
    case 'PROCESSING':
    case 'COMPLETED':
      return undefined
  }
}

/** States whose entry can change `ttl`. The others follow one that has none already. */
const TURNS = new Set<Job['status']>(['QUEUED', 'FAILED', 'CANCELLED', 'EXPIRED'])

export const turnsTtl = ({ status }: Job): boolean => TURNS.has(status)

/** DynamoDB removes what has expired within days; until then it is read as if it were gone. */
export const isExpired = (item: { ttl?: unknown } | undefined, now: number): boolean =>
  typeof item?.ttl === 'number' && item.ttl <= epochSeconds(now)
