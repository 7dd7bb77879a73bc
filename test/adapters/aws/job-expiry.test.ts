import { describe, expect, it } from '@jest/globals'
import { isExpired, ttlOf, turnsTtl } from '../../../lib/adapters/aws/job-expiry.ts'
import { type Job, MOVES, type Status } from '../../../lib/core/job.ts'
import { SAMPLE_TIME, sampleJob } from '../../contracts/job-store.ts'
import { STATES } from '../../core/batch/jobs.ts'

const DAYS = 3
const AT_END = SAMPLE_TIME / 1000 + DAYS * 86_400
const jobIn = (status: Status) => ({ ...sampleJob(), ...STATES[status] }) as Job

describe('the record of a job', () => {
  it.each([
    ['FAILED', AT_END],
    ['CANCELLED', AT_END],
    ['EXPIRED', AT_END],
    ['QUEUED', undefined],
    ['PROCESSING', undefined],
    ['COMPLETED', undefined],
  ] as const)('that is %s may go at %s', (status, ttl) => {
    expect(ttlOf(jobIn(status), DAYS)).toBe(ttl)
  })

  it('that waits for its upload may go so many days after the upload was due', () => {
    expect(ttlOf(sampleJob(), DAYS)).toBe(AT_END + 3600)
  })

  it('is told of every move that changes when it may go', () => {
    for (const [from, next] of Object.entries(MOVES) as Array<[Status, readonly Status[]]>) {
      for (const to of next) {
        const had = ttlOf(jobIn(from), DAYS) !== undefined
        const has = ttlOf(jobIn(to), DAYS) !== undefined
        if (had || has) expect([to, turnsTtl(jobIn(to))]).toEqual([to, true])
      }
    }
  })

  it('has gone from that second on, whenever DynamoDB removes it', () => {
    const item = { ttl: AT_END }
    expect([isExpired(item, AT_END * 1000 - 1), isExpired(item, AT_END * 1000)]).toEqual([false, true])
    expect([isExpired({}, AT_END * 1000), isExpired(undefined, 0)]).toEqual([false, false])
  })
})
