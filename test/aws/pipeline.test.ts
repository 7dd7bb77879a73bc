import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readReference, type SampleName, samplePath } from '../support/reference.ts'
import { until } from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'
import { type Deployment, deploy } from './deployment.ts'

let aws: Deployment
beforeAll(async () => {
  aws = await deploy()
})
afterAll(() => aws?.dispose())

const PART_BYTES = 16 * 1024 ** 2

async function requestUpload(bytes: Uint8Array, more: object = {}) {
  const request = { filename: 'talk.wav', contentType: 'audio/wav', sizeBytes: bytes.length, language: 'en' }
  const { status, body } = await aws.call('upload', { body: JSON.stringify({ ...request, ...more }) })
  expect(status).toBe(201)
  return body
}

const put = (url: string, headers: Record<string, string>, bytes: Uint8Array) =>
  fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) })

async function upload(sample: SampleName, more: object = {}): Promise<string> {
  const bytes = await readFile(samplePath(sample))
  const { jobId, uploadUrl, headers } = await requestUpload(bytes, more)
  expect((await put(uploadUrl, headers, bytes)).status).toBe(200)
  return jobId
}

const statusOf = async (jobId: string) => (await aws.call('status', { jobId })).body

const reached = (jobId: string, ...wanted: string[]) =>
  until(async () => {
    const job = await statusOf(jobId)
    return wanted.includes(job.status) ? job : undefined
  }, 150_000)

const objectsOf = async (jobId: string) =>
  (await aws.bucket.objects.list('')).filter((key) => key.includes(jobId))

describe('a recording', () => {
  it('becomes a transcript by the container Lambda', async () => {
    const worker = await aws.startWorker()
    try {
      const jobId = await upload('meeting60')
      const job = await reached(jobId, 'COMPLETED', 'FAILED')
      expect(job).toMatchObject({ status: 'COMPLETED', language: 'en', progress: 1 })
      expect(Object.keys(job.downloads).sort()).toEqual(['json', 'srt', 'txt', 'vtt'])
      const reply = await fetch(job.downloads.txt)
      expect(reply.headers.get('content-disposition')).toContain('filename="talk.txt"')
      const { rate } = wordErrors(readReference('meeting60').text, await reply.text())
      expect(rate).toBeLessThanOrEqual(0.1)
      const listed = await aws.call('list', { query: { status: 'COMPLETED' } })
      expect(listed.body.jobs.map((it: { jobId: string }) => it.jobId)).toContain(jobId)

      expect((await aws.call('erase', { jobId })).status).toBe(204)
      expect(await objectsOf(jobId)).toEqual([])
      expect((await aws.call('status', { jobId })).status).toBe(404)
    } finally {
      await worker.stop()
    }
  })

  it('that takes longer than a Lambda lives is brought to its end by several', async () => {
    // The reserve is 30 s, so the first works for one second, the second for four, and so on.
    const worker = await aws.startWorker((invocation) => 30_000 + 1000 * invocation ** 2)
    try {
      const jobId = await upload('meeting180')
      const job = await reached(jobId, 'COMPLETED', 'FAILED')
      expect(job).toMatchObject({ status: 'COMPLETED' })
      expect(worker.replies.length).toBeGreaterThan(1)
      expect(worker.replies.flatMap((reply) => reply.batchItemFailures)).toEqual([])
      const text = await (await fetch(job.downloads.txt)).text()
      expect(wordErrors(readReference('meeting180').text, text).rate).toBeLessThanOrEqual(0.1)
      expect((await objectsOf(jobId)).filter((key) => key.startsWith('work/'))).toEqual([])
    } finally {
      await worker.stop()
    }
  })

  it('becomes a transcript by the ECS worker, which gives back at SIGTERM what it has not ended', async () => {
    const first = aws.startPoller()
    const jobId = await upload('meeting180')
    await until(async () => (await objectsOf(jobId)).find((key) => key.startsWith('work/')), 90_000)
    expect(await first.stop()).toBe(0)
    const second = aws.startPoller()
    try {
      expect(await reached(jobId, 'COMPLETED', 'FAILED')).toMatchObject({ status: 'COMPLETED' })
    } finally {
      expect(await second.stop()).toBe(0)
    }
    // A message that was handed to a poll that SIGTERM ended is hidden for a minute.
  }, 300_000)
})

describe('an upload', () => {
  it('in parts is joined and then queued', async () => {
    const bytes = Buffer.alloc(PART_BYTES + 1000, 1)
    const { jobId, partUrls, partSizeBytes, headers } = await requestUpload(bytes, { multipart: true })
    expect([partUrls.length, partSizeBytes]).toEqual([2, PART_BYTES])
    expect((await put(partUrls[0], headers, bytes.subarray(0, PART_BYTES))).status).toBe(200)
    expect(await aws.call('complete', { jobId })).toMatchObject({
      status: 409,
      body: { error: { code: 'upload-incomplete' } },
    })
    expect((await put(partUrls[1], headers, bytes.subarray(PART_BYTES))).status).toBe(200)
    expect(await aws.call('complete', { jobId })).toMatchObject({ status: 200 })
    expect(await aws.call('complete', { jobId })).toMatchObject({ status: 200 })
    expect(await reached(jobId, 'QUEUED')).toMatchObject({ status: 'QUEUED' })

    expect(await aws.call('cancel', { jobId })).toMatchObject({ status: 200, body: { status: 'CANCELLED' } })
    expect(await objectsOf(jobId)).toEqual([])
  })

  it('of another length or type is refused by the store', async () => {
    const bytes = Buffer.alloc(1000, 1)
    const { jobId, uploadUrl, headers } = await requestUpload(bytes)
    expect((await put(uploadUrl, headers, bytes.subarray(1))).status).toBe(403)
    expect((await put(uploadUrl, headers, Buffer.concat([bytes, bytes]))).status).toBe(403)
    expect((await put(uploadUrl, { 'content-type': 'text/html' }, bytes)).status).toBe(403)
    expect(await objectsOf(jobId)).toEqual([])
    expect(await statusOf(jobId)).toMatchObject({ status: 'UPLOADING' })
  })

  it('that is cancelled is gone, and its late recording too', async () => {
    const bytes = Buffer.alloc(1000, 1)
    const { jobId, uploadUrl, headers } = await requestUpload(bytes)
    expect(await aws.call('cancel', { jobId })).toMatchObject({ status: 200 })
    expect((await put(uploadUrl, headers, bytes)).status).toBe(200)
    await until(async () => ((await objectsOf(jobId)).length === 0 ? true : undefined))
    expect(await statusOf(jobId)).toMatchObject({ status: 'CANCELLED' })
  })

  it('is asked for twice with one key and made once', async () => {
    const request = { body: JSON.stringify({ filename: 'a.wav', sizeBytes: 10 }) }
    const headers = { 'idempotency-key': 'same' }
    const first = await aws.call('upload', { ...request, headers })
    const second = await aws.call('upload', { ...request, headers })
    expect(second.body.jobId).toBe(first.body.jobId)
  })
})

describe('the API', () => {
  it('refuses a token that it does not know', async () => {
    const headers = { authorization: `Bearer vb_${'0'.repeat(12)}_${'0'.repeat(43)}` }
    expect(await aws.call('list', { headers })).toMatchObject({ status: 401 })
  })

  it('says what it is without a token', async () => {
    expect(await aws.call('health')).toMatchObject({ status: 200, body: { status: 'ok', model: 'mini' } })
    expect(await aws.call('openapi')).toMatchObject({ status: 200, body: { openapi: '3.1.0' } })
  })
})
