import { GetCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { jobKey, placeKey } from '../../lib/adapters/aws/job-items.ts'
import { createJobStore } from '../../lib/adapters/aws/job-store.ts'
import { type Job, jobBase } from '../../lib/core/job.ts'
import type { JobStore } from '../../lib/core/ports.ts'
import { SAMPLE_TIME, sampleJob } from '../contracts/job-store.ts'
import { STATES } from '../core/batch/jobs.ts'
import { temporaryTable } from './support.ts'

// What DynamoDB may remove by itself, and that nobody sees it from the moment when it may. Nothing is removed here: the
// table of the test has no time to live, as DynamoDB itself takes its time, too.

const DAYS = 3
const DAY_MS = 24 * 60 * 60 * 1000
const AT_END = (SAMPLE_TIME + DAYS * DAY_MS) / 1000
const AT_UPLOAD = AT_END + 3600

const time = { now: SAMPLE_TIME }
let table: Awaited<ReturnType<typeof temporaryTable>>
let jobs: JobStore
beforeAll(async () => {
  table = await temporaryTable()
  jobs = createJobStore(table.db, table.table, { recordDays: DAYS, clock: () => time.now })
})
afterAll(() => table?.dispose())

const stateAfter = (job: Job, status: Job['status']): Job =>
  ({ ...jobBase(job), ...STATES[status], version: job.version + 1 }) as Job

/** A job that has gone through these states. */
async function jobThrough(...statuses: Array<Job['status']>): Promise<Job> {
  time.now = SAMPLE_TIME
  let job: Job = sampleJob()
  await jobs.create(job)
  for (const status of statuses) {
    job = stateAfter(job, status)
    expect(await jobs.replace(job)).toEqual({ outcome: 'replaced' })
  }
  return job
}

/** When the record and its place in the list may go. */
const ttlsOf = async (job: Job) =>
  Promise.all(
    [jobKey(job.tenant, job.jobId), placeKey(job.tenant, job)].map(async (Key) => {
      const { Item } = await table.db.send(new GetCommand({ TableName: table.table, Key }))
      expect(Item).toBeDefined()
      return Item!.ttl as number | undefined
    }),
  )

describe('a record and its place in the list', () => {
  it.each([
    [[], AT_UPLOAD],
    [['QUEUED'], undefined],
    [['QUEUED', 'PROCESSING'], undefined],
    [['QUEUED', 'PROCESSING', 'PROCESSING', 'COMPLETED'], undefined],
    [['EXPIRED'], AT_END],
    [['CANCELLED'], AT_END],
    [['FAILED'], AT_END],
    [['QUEUED', 'FAILED'], AT_END],
    [['QUEUED', 'PROCESSING', 'CANCELLED'], AT_END],
    [['QUEUED', 'PROCESSING', 'FAILED'], AT_END],
  ] as Array<[Array<Job['status']>, number | undefined]>)('after %j may go at %s', async (statuses, ttl) => {
    expect(await ttlsOf(await jobThrough(...statuses))).toEqual([ttl, ttl])
  })
})

describe('a record that may go', () => {
  it('is there until that second, and then for nobody', async () => {
    const job = await jobThrough('QUEUED', 'FAILED')
    const read = () => jobs.get(job.tenant, job.jobId)
    const listed = async () => (await jobs.list(job.tenant, { limit: 10 })).jobs
    time.now = AT_END * 1000 - 1
    expect([await read(), await listed()]).toEqual([job, [job]])
    time.now = AT_END * 1000
    expect([await read(), await listed()]).toEqual([undefined, []])
    expect(await jobs.remove(job.tenant, job.jobId)).toBe(false)
  })

  it.each([['QUEUED'], ['CANCELLED']] as const)(
    'is not brought back by a late move to %s',
    async (status) => {
      const job = await jobThrough()
      time.now = AT_UPLOAD * 1000
      expect(await jobs.replace(stateAfter(job, status))).toEqual({ outcome: 'gone' })
      expect(await ttlsOf(job)).toEqual([AT_UPLOAD, AT_UPLOAD])
    },
  )

  it('does not hide the tenant’s others', async () => {
    const old = await jobThrough('CANCELLED')
    time.now = AT_END * 1000
    const made = { tenant: old.tenant, createdAt: time.now, upload: { expiresAt: time.now } }
    const others = [sampleJob(made), sampleJob({ ...made, createdAt: 1000 })]
    for (const job of others) await jobs.create(job)
    const first = await jobs.list(old.tenant, { limit: 1 })
    expect(first.jobs).toEqual([others[0]])
    const rest = await jobs.list(old.tenant, { limit: 1, cursor: first.cursor! })
    expect(rest).toEqual({ jobs: [others[1]] })
  })
})

describe('two who end a job at once', () => {
  it('are told apart: one has done it, the other sees what was done', async () => {
    const job = await jobThrough('QUEUED', 'PROCESSING')
    const ends = [stateAfter(job, 'FAILED'), stateAfter(job, 'CANCELLED'), stateAfter(job, 'COMPLETED')]
    const outcomes = await Promise.all(ends.map((next) => jobs.replace(next)))
    const won = ends[outcomes.findIndex(({ outcome }) => outcome === 'replaced')]
    const lost = outcomes.filter(({ outcome }) => outcome !== 'replaced')
    expect(lost).toEqual([1, 2].map(() => ({ outcome: 'lost', current: won })))
    const ttl = won?.status === 'COMPLETED' ? undefined : AT_END
    expect(await ttlsOf(job)).toEqual([ttl, ttl])
  })
})

describe('an idempotency key that has lapsed', () => {
  it('is free again', async () => {
    time.now = SAMPLE_TIME
    const first = sampleJob()
    const key = { key: 'k', fingerprint: 'f' }
    const again = () => jobs.create(sampleJob({ tenant: first.tenant }), key)
    expect(await jobs.create(first, key)).toEqual({ outcome: 'created' })
    time.now += DAY_MS - 1
    expect(await again()).toEqual({ outcome: 'repeated', jobId: first.jobId, fingerprint: 'f' })
    time.now += 1
    expect(await again()).toEqual({ outcome: 'created' })
  })
})
