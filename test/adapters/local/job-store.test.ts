import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createJobStore } from '../../../lib/adapters/local/job-store.ts'
import { sampleJob } from '../../contracts/job-store.ts'
import { temporaryDatabase } from './folder.ts'

describe('the job store of one machine', () => {
  let folder: ReturnType<typeof temporaryDatabase>
  beforeEach(() => {
    folder = temporaryDatabase()
  })
  afterEach(() => folder.dispose())

  it('remembers an idempotency key for a day and then no longer', async () => {
    let now = 1_700_000_000_000
    const jobs = createJobStore(folder.db, () => now)
    const first = sampleJob()
    const again = () => jobs.create(sampleJob({ tenant: first.tenant }), { key: 'k', fingerprint: 'f' })
    await jobs.create(first, { key: 'k', fingerprint: 'f' })
    now += 24 * 3_600_000
    expect(await again()).toMatchObject({ outcome: 'repeated', jobId: first.jobId })
    now += 1
    expect(await again()).toEqual({ outcome: 'created' })
  })

  it('fails on a record that is not a job, without quoting it', async () => {
    const jobs = createJobStore(folder.db)
    const job = sampleJob()
    await jobs.create(job)
    folder.db.sql.exec(`UPDATE jobs SET body = json_remove(body, '$.upload')`)
    await expect(jobs.get(job.tenant, job.jobId)).rejects.toMatchObject({
      code: 'internal',
      message: 'A stored job cannot be read.',
    })
  })
})
