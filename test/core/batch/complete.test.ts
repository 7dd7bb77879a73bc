import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { completeUpload, requestUpload } from '../../../lib/core/batch/1-upload.ts'
import { acceptUpload } from '../../../lib/core/batch/2-accept.ts'
import { UploadRequest } from '../../../lib/core/contract.ts'
import type { Job, JobIn } from '../../../lib/core/job.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import type { PartRef } from '../../../lib/core/ports.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { stored, storeJob, TENANT } from './jobs.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const complete = (job: Pick<Job, 'jobId'>, parts?: PartRef[], tenant = TENANT) =>
  completeUpload(ports)(tenant, job.jobId, { ...(parts && { parts }) })

const PART = 16 * 1024 ** 2
const BYTES = [Buffer.alloc(PART, 'a'), Buffer.from('the end')]

/** A job whose parts `sent` (1, 2) have arrived. */
async function uploading(...sent: number[]): Promise<JobIn<'UPLOADING'>> {
  const request = UploadRequest.parse({ filename: 'x', sizeBytes: PART + 7, multipart: true })
  const { jobId } = await requestUpload(ports)(TENANT, request)
  const job = (await ports.jobs.get(TENANT, jobId)) as JobIn<'UPLOADING'>
  for (const part of sent) await send(job, part)
  return job
}

const send = (job: JobIn<'UPLOADING'>, part: number, bytes = BYTES[part - 1]!) =>
  ports.objects.writePart(uploadKey(job), job.upload.multipart!.uploadId, part, [bytes])

/** Not by toEqual, which takes a minute for so many bytes. */
const isWhole = async (job: Job) =>
  Buffer.concat(BYTES).equals((await ports.objects.get(uploadKey(job))) ?? Buffer.alloc(0))

describe('completing an upload in parts', () => {
  it.each(['with the parts that have arrived', 'with the parts that the client names'])(
    'joins them (%s), which starts the work',
    async (how) => {
      const job = await uploading()
      const etags = [await send(job, 2), await send(job, 1)].reverse()
      const named = etags.map((etag, i) => ({ partNumber: i + 1, etag }))
      await complete(job, how.includes('client') ? named : undefined)
      expect(await isWhole(job)).toBe(true)
      expect(ports.pending('uploads')).toHaveLength(1)
      expect(await acceptUpload(ports)(uploadKey(job))).toBe('queued')
    },
  )

  it('twice, even before its event is handled, is harmless', async () => {
    const job = await uploading(1, 2)
    await complete(job)
    await complete(job)
    expect(ports.pending('uploads')).toHaveLength(1)
  })

  it.each([
    ['no part', []],
    ['only the first part', [1]],
    ['only the last part', [2]],
  ])('of which %s has arrived is refused, and can be done later', async (_, sent) => {
    const job = await uploading(...sent)
    await expect(complete(job)).rejects.toMatchObject({ code: 'upload-incomplete' })
    for (const part of [1, 2]) await send(job, part)
    await complete(job)
    expect(await ports.objects.head(uploadKey(job))).toMatchObject({ sizeBytes: PART + 7 })
  })

  it('of which a part has another length is refused', async () => {
    const job = await uploading(1)
    await send(job, 2, Buffer.from('the END of it'))
    await expect(complete(job)).rejects.toMatchObject({ code: 'upload-incomplete' })
  })

  it.each([
    ['fewer parts than there are', (etags: string[]) => [{ partNumber: 1, etag: etags[0]! }]],
    ['no parts', () => []],
    ['a wrong ETag', (etags: string[]) => etags.map((_, i) => ({ partNumber: i + 1, etag: '"0"' }))],
    [
      'parts out of order',
      (etags: string[]) => etags.map((etag, i) => ({ partNumber: i + 1, etag })).reverse(),
    ],
    [
      'the same part twice',
      (etags: string[]) => [1, 1].map((partNumber) => ({ partNumber, etag: etags[0]! })),
    ],
  ])('naming %s is refused, and harms nothing', async (_, name) => {
    const job = await uploading()
    const etags = [await send(job, 1), await send(job, 2)]
    await expect(complete(job, name(etags))).rejects.toMatchObject({ code: 'upload-incomplete' })
    expect(await ports.objects.head(uploadKey(job))).toBeUndefined()
    await complete(job)
    expect(await isWhole(job)).toBe(true)
  })

  it.each([
    ['UPLOADING', 'wrong-state'],
    ['QUEUED', undefined],
    ['PROCESSING', undefined],
    ['COMPLETED', undefined],
    ['FAILED', undefined],
    ['CANCELLED', 'cancelled'],
    ['EXPIRED', 'upload-expired'],
  ] as const)('of a job with a single URL that is %s: %s', async (status, code) => {
    const job = await storeJob(ports, status)
    if (code) await expect(complete(job)).rejects.toMatchObject({ code })
    else await complete(job)
    expect(await stored(ports, job)).toEqual(job)
  })

  it('of an unknown job or another tenant is refused alike', async () => {
    const job = await uploading(1, 2)
    const refused = { code: 'unknown-job', message: 'There is no such job.' }
    await expect(complete({ jobId: 'none' })).rejects.toMatchObject(refused)
    await expect(complete(job, undefined, 'other')).rejects.toMatchObject(refused)
  })
})
