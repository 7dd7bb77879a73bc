import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { JobIn } from '../../lib/core/job.ts'
import type { JobStore } from '../../lib/core/ports.ts'

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const randomId = () =>
  Array.from({ length: 26 }, () => CROCKFORD[Math.floor(Math.random() * CROCKFORD.length)]).join('')

/** When the jobs of `sampleJob` are made. A store that forgets by the clock must be told that it is now. */
export const SAMPLE_TIME = 1_700_000_000_000

/** A job as the store first sees it. */
export function sampleJob(over: Partial<JobIn<'UPLOADING'>> = {}): JobIn<'UPLOADING'> {
  return {
    jobId: randomId(),
    tenant: `t-${randomUUID()}`,
    version: 1,
    status: 'UPLOADING',
    filename: 'Zürich – „Gespräch“ 🎙.m4a',
    contentType: 'audio/mp4',
    sizeBytes: 12_345,
    createdAt: SAMPLE_TIME,
    updatedAt: SAMPLE_TIME,
    options: { channels: 'mix', formats: ['json', 'txt'], metadata: { 'a key': 'ein Wert' } },
    upload: { expiresAt: SAMPLE_TIME + 3_600_000 },
    ...over,
  }
}

const queued = ({ upload: _, ...job }: JobIn<'UPLOADING'>): JobIn<'QUEUED'> => ({
  ...job,
  version: job.version + 1,
  status: 'QUEUED',
})

/** What every JobStore must do. Tenants are random, so that the store may be one that others use too. */
export function describeJobStore(
  name: string,
  make: () => Promise<{ jobs: JobStore; dispose(): Promise<void> }>,
): void {
  describe(`JobStore: ${name}`, () => {
    let jobs: JobStore
    let dispose: () => Promise<void>
    beforeAll(async () => {
      ;({ jobs, dispose } = await make())
    })
    afterAll(() => dispose())

    it('gives a job back as it was stored', async () => {
      const job = sampleJob()
      expect(await jobs.create(job)).toEqual({ outcome: 'created' })
      expect(await jobs.get(job.tenant, job.jobId)).toEqual(job)
    })

    it('does not know a job of another tenant, nor one that never was', async () => {
      const job = sampleJob()
      await jobs.create(job)
      expect(await jobs.get(sampleJob().tenant, job.jobId)).toBeUndefined()
      expect(await jobs.get(job.tenant, sampleJob().jobId)).toBeUndefined()
    })

    it('lets only one of many who read the same version write the next', async () => {
      const job = sampleJob()
      await jobs.create(job)
      const writers = Array.from({ length: 8 }, (_, n) => ({ ...queued(job), updatedAt: job.updatedAt + n }))
      const outcomes = await Promise.all(writers.map((next) => jobs.replace(next)))
      expect(outcomes.filter(({ outcome }) => outcome === 'replaced')).toHaveLength(1)
      const stored = await jobs.get(job.tenant, job.jobId)
      expect(stored).toEqual(writers[outcomes.findIndex(({ outcome }) => outcome === 'replaced')])
      const lost = outcomes.filter(({ outcome }) => outcome !== 'replaced')
      expect(lost).toEqual(Array.from({ length: 7 }, () => ({ outcome: 'lost', current: stored })))
    })

    it('does not bring a removed job back to life', async () => {
      const job = sampleJob()
      await jobs.create(job)
      expect(await jobs.remove(job.tenant, job.jobId)).toBe(true)
      expect(await jobs.replace(queued(job))).toEqual({ outcome: 'gone' })
      expect(await jobs.get(job.tenant, job.jobId)).toBeUndefined()
      expect(await jobs.remove(job.tenant, job.jobId)).toBe(false)
    })

    it('removes nothing of another tenant', async () => {
      const job = sampleJob()
      await jobs.create(job)
      expect(await jobs.remove(sampleJob().tenant, job.jobId)).toBe(false)
      expect(await jobs.get(job.tenant, job.jobId)).toEqual(job)
    })

    it('makes one job of a request that is repeated with its idempotency key', async () => {
      const first = sampleJob()
      const again = sampleJob({ tenant: first.tenant })
      const key = { key: 'Schlüssel 1', fingerprint: 'f1' }
      expect(await jobs.create(first, key)).toEqual({ outcome: 'created' })
      expect(await jobs.create(again, { ...key, fingerprint: 'f2' })).toEqual({
        outcome: 'repeated',
        jobId: first.jobId,
        fingerprint: 'f1',
      })
      expect(await jobs.get(again.tenant, again.jobId)).toBeUndefined()
    })

    it('makes one job of many requests that arrive together with the same key', async () => {
      const { tenant } = sampleJob()
      const tries = Array.from({ length: 8 }, () => sampleJob({ tenant }))
      const outcomes = await Promise.all(tries.map((job) => jobs.create(job, { key: 'k', fingerprint: 'f' })))
      const winner = tries[outcomes.findIndex(({ outcome }) => outcome === 'created')]
      expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
      expect((await jobs.list(tenant, { limit: 100 })).jobs).toEqual([winner])
    })

    it('keeps the idempotency keys of two tenants apart', async () => {
      const key = { key: 'same', fingerprint: 'f' }
      expect(await jobs.create(sampleJob(), key)).toEqual({ outcome: 'created' })
      expect(await jobs.create(sampleJob(), key)).toEqual({ outcome: 'created' })
    })

    it('forgets an idempotency key with its job', async () => {
      const job = sampleJob()
      const key = { key: 'k', fingerprint: 'f' }
      await jobs.create(job, key)
      await jobs.remove(job.tenant, job.jobId)
      expect(await jobs.create(sampleJob({ tenant: job.tenant }), key)).toEqual({ outcome: 'created' })
    })

    it('lists a tenant’s own jobs page by page, newest first, each once', async () => {
      const { tenant } = sampleJob()
      // Pairs with the same time, so that pages end between jobs that only their ids tell apart.
      const made = Array.from({ length: 7 }, (_, n) => sampleJob({ tenant, createdAt: 1000 + (n >> 1) }))
      for (const job of [...made, sampleJob()]) await jobs.create(job)
      const expected = made.toSorted((a, b) => b.createdAt - a.createdAt || (a.jobId < b.jobId ? 1 : -1))

      const pages: string[][] = []
      let cursor: string | undefined
      do {
        const page = await jobs.list(tenant, { limit: 3, ...(cursor === undefined ? {} : { cursor }) })
        pages.push(page.jobs.map((job) => job.jobId))
        cursor = page.cursor
      } while (cursor !== undefined)
      const ids = expected.map((job) => job.jobId)
      expect(pages).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)])
    })

    it('lists the jobs in one state, across pages', async () => {
      const { tenant } = sampleJob()
      const made = Array.from({ length: 6 }, (_, n) => sampleJob({ tenant, createdAt: 1000 + n }))
      for (const job of made) await jobs.create(job)
      for (const n of [0, 2, 5]) await jobs.replace(queued(made[n]!))
      const first = await jobs.list(tenant, { status: 'QUEUED', limit: 2 })
      expect(first.jobs.map((job) => job.jobId)).toEqual([made[5]!.jobId, made[2]!.jobId])
      const rest = await jobs.list(tenant, { status: 'QUEUED', limit: 2, cursor: first.cursor! })
      expect(rest.jobs).toEqual([queued(made[0]!)])
      expect(rest.cursor).toBeUndefined()
    })

    it('refuses a cursor of another tenant and one that is broken', async () => {
      const { tenant } = sampleJob()
      for (const n of [1, 2]) await jobs.create(sampleJob({ tenant, createdAt: n }))
      const { cursor } = await jobs.list(tenant, { limit: 1 })
      const other = sampleJob().tenant
      await expect(jobs.list(other, { limit: 1, cursor: cursor! })).rejects.toMatchObject({
        code: 'bad-request',
      })
      for (const broken of ['x', 'bnVsbA', `${cursor!.slice(0, -4)}`, '🎙']) {
        await expect(jobs.list(tenant, { limit: 1, cursor: broken })).rejects.toMatchObject({
          code: 'bad-request',
        })
      }
    })
  })
}
