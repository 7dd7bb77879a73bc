import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { announceEnd } from '../../../lib/core/batch/announce-end.ts'
import { cancelJob, eraseJob } from '../../../lib/core/batch/erase.ts'
import { VerbatimError } from '../../../lib/core/errors.ts'
import { type Job, type JobIn, STATUSES } from '../../../lib/core/job.ts'
import { transcriptKey, uploadKey, workKey } from '../../../lib/core/keys.ts'
import { createPorts, failing, type TestPorts } from '../../support/ports.ts'
import { STATES, stored, storeJob, TENANT } from './jobs.ts'
import { objectsOf } from './recordings.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

/** A job with every kind of object that a job can have. */
async function fullJob(status: Job['status']): Promise<Job> {
  const job = await storeJob(ports, status)
  const keys = [
    uploadKey(job),
    workKey(job, '0-0-1.json'),
    transcriptKey(job, 'json'),
    transcriptKey(job, 'srt'),
  ]
  for (const key of keys) await ports.objects.put(key, 'x', 'text/plain')
  return job
}

/** One that waits for the second of its parts. */
async function multipartJob(): Promise<JobIn<'UPLOADING'>> {
  const ref = { tenant: TENANT, jobId: ports.newJobId() }
  const uploadId = await ports.objects.startMultipart({ key: uploadKey(ref), contentType: 'audio/wav' })
  await ports.objects.writePart(uploadKey(ref), uploadId, 1, [Buffer.from('part')])
  const upload = { ...STATES.UPLOADING.upload, multipart: { uploadId, partSizeBytes: 4, parts: 2 } }
  return (await storeJob(ports, { status: 'UPLOADING', upload }, ref)) as JobIn<'UPLOADING'>
}

const partsOf = (job: JobIn<'UPLOADING'>) =>
  ports.objects.listParts(uploadKey(job), job.upload.multipart!.uploadId)

const cancel = (job: Pick<Job, 'jobId'>, tenant = TENANT) => cancelJob(ports)(tenant, job.jobId)
const erase = (job: Pick<Job, 'jobId'>, tenant = TENANT) => eraseJob(ports)(tenant, job.jobId)
const UNKNOWN = { code: 'unknown-job', message: 'There is no such job.' }
const busy = new VerbatimError('storage-unavailable', 'The database is busy.')

describe('cancelling', () => {
  it.each(['UPLOADING', 'QUEUED', 'PROCESSING'] as const)(
    'a job that is %s stops it and deletes its bytes',
    async (status) => {
      const job = await fullJob(status)
      const cancelled = await cancel(job)
      expect(cancelled).toMatchObject({ jobId: job.jobId, status: 'CANCELLED', version: 2 })
      expect(await stored(ports, job)).toEqual(cancelled)
      expect(await objectsOf(ports, job)).toEqual([])
    },
  )

  it.each(['COMPLETED', 'FAILED', 'EXPIRED'] as const)(
    'a job that is %s is refused, and nothing of it is touched',
    async (status) => {
      const job = await fullJob(status)
      await expect(cancel(job)).rejects.toMatchObject({ code: 'wrong-state' })
      expect(await stored(ports, job)).toEqual(job)
      expect(await objectsOf(ports, job)).toHaveLength(4)
    },
  )

  it('twice is harmless', async () => {
    const job = await fullJob('QUEUED')
    const once = await cancel(job)
    expect(await cancel(job)).toEqual(once)
  })

  it('that was interrupted can be asked for again, until nothing is left', async () => {
    const job = await fullJob('PROCESSING')
    const objects = failing(ports.objects, 'remove', busy)
    await expect(cancelJob({ ...ports, objects })(TENANT, job.jobId)).rejects.toBe(busy)
    expect(await stored(ports, job)).toMatchObject({ status: 'CANCELLED' })
    await cancel(job)
    expect(await objectsOf(ports, job)).toEqual([])
  })

  it('an upload in parts gives up its parts', async () => {
    const job = await multipartJob()
    await cancel(job)
    expect(await partsOf(job)).toEqual([])
  })

  it('leaves the other jobs of the tenant alone', async () => {
    const [job, other] = [await fullJob('QUEUED'), await fullJob('QUEUED')]
    await cancel(job)
    expect(await stored(ports, other)).toEqual(other)
    expect(await objectsOf(ports, other)).toHaveLength(4)
  })

  it('what is unknown, or of another tenant, is refused alike', async () => {
    const job = await fullJob('QUEUED')
    await expect(cancel({ jobId: 'none' })).rejects.toMatchObject(UNKNOWN)
    await expect(cancel(job, 'other')).rejects.toMatchObject(UNKNOWN)
    expect(await stored(ports, job)).toEqual(job)
  })
})

describe('erasing', () => {
  it.each(STATUSES)('a job that is %s leaves neither bytes nor record', async (status) => {
    const job = await fullJob(status)
    await erase(job)
    expect(await stored(ports, job)).toBeUndefined()
    expect(await objectsOf(ports, job)).toEqual([])
  })

  it('an upload in parts gives up its parts', async () => {
    const job = await multipartJob()
    await erase(job)
    expect(await partsOf(job)).toEqual([])
  })

  it('leaves no line in the log of webhooks, and those of other jobs as they are', async () => {
    const options = { webhookUrl: 'https://hooks.example.com/' }
    const jobs = [
      await storeJob(ports, 'COMPLETED', { options }),
      await storeJob(ports, 'FAILED', { options }),
      await storeJob(ports, 'COMPLETED', { options }),
    ] as const
    for (const job of jobs) await announceEnd(ports)(job)
    await erase(jobs[0])
    await erase(jobs[1])
    const { deliveries } = await ports.deliveries.list(TENANT, { limit: 10 })
    expect(deliveries.map(({ subject }) => subject)).toMatchObject([{ jobId: jobs[2].jobId }])
    expect(await ports.deliveries.due(ports.clock(), 10)).toHaveLength(1)
  })

  it('that was interrupted can be asked for again: the record goes last', async () => {
    const job = await fullJob('COMPLETED')
    const objects = failing(ports.objects, 'remove', busy)
    await expect(eraseJob({ ...ports, objects })(TENANT, job.jobId)).rejects.toBe(busy)
    expect(await stored(ports, job)).toEqual(job)
    await erase(job)
    expect(await stored(ports, job)).toBeUndefined()
    expect(await objectsOf(ports, job)).toEqual([])
  })

  it('leaves the other jobs of the tenant alone', async () => {
    const [job, other] = [await fullJob('COMPLETED'), await fullJob('COMPLETED')]
    await erase(job)
    expect(await stored(ports, other)).toEqual(other)
    expect(await objectsOf(ports, other)).toHaveLength(4)
  })

  it('what is unknown, of another tenant, or erased already, is refused alike', async () => {
    const job = await fullJob('COMPLETED')
    await expect(erase({ jobId: 'none' })).rejects.toMatchObject(UNKNOWN)
    await expect(erase(job, 'other')).rejects.toMatchObject(UNKNOWN)
    expect(await objectsOf(ports, job)).toHaveLength(4)
    await erase(job)
    await expect(erase(job)).rejects.toMatchObject(UNKNOWN)
  })
})
