import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { requestUpload } from '../../../lib/core/batch/1-upload.ts'
import { eraseJob } from '../../../lib/core/batch/erase.ts'
import { UploadReply, UploadRequest } from '../../../lib/core/contract.ts'
import type { JobIn } from '../../../lib/core/job.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import { moveJob } from '../../../lib/core/move.ts'
import { GIB } from '../../../lib/core/settings.ts'
import { createPorts, START, type TestPorts } from '../../support/ports.ts'
import { STATES, TENANT } from './jobs.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts({ maxUploadBytes: 5000 * GIB })
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const MIB = 1024 ** 2

/** Asks as the handler does: with the defaults of the contract. */
const ask = (request: object = {}, key?: string, tenant = TENANT) =>
  requestUpload(ports)(
    tenant,
    UploadRequest.parse({ filename: 'talk.wav', sizeBytes: 1000, ...request }),
    key,
  )

const jobOf = async ({ jobId }: UploadReply) => (await ports.jobs.get(TENANT, jobId)) as JobIn<'UPLOADING'>

/** Uploads in parts that somebody has begun and nobody has ended. */
const openUploads = () => Number(ports.db.sql.prepare('SELECT count(*) AS n FROM uploads').get()?.n)

describe('an upload', () => {
  it('makes a job, and a URL for exactly its bytes that holds for an hour', async () => {
    const reply = await ask({ contentType: 'audio/wav' })
    expect(UploadReply.parse(reply)).toEqual({
      ...{ jobId: reply.jobId, method: 'PUT', expiresAt: '2026-01-01T01:00:00.000Z' },
      ...{ uploadUrl: expect.any(String), headers: { 'content-type': 'audio/wav' } },
    })
    const { pathname, searchParams } = new URL('uploadUrl' in reply ? reply.uploadUrl : '')
    expect(pathname).toBe(`/objects/uploads/${TENANT}/${reply.jobId}`)
    expect(Object.fromEntries(searchParams)).toMatchObject({ length: '1000', type: 'audio/wav' })
    expect(await jobOf(reply)).toEqual({
      ...{ jobId: reply.jobId, tenant: TENANT, version: 1, status: 'UPLOADING' },
      ...{ filename: 'talk.wav', contentType: 'audio/wav', sizeBytes: 1000 },
      ...{ createdAt: START, updatedAt: START, upload: { expiresAt: START + 3_600_000 } },
      options: { channels: 'mix', formats: ['json', 'srt', 'vtt', 'txt'] },
    })
  })

  it.each([
    [{}, { channels: 'mix', formats: ['json', 'srt', 'vtt', 'txt'] }],
    [{ formats: ['txt', 'srt', 'txt'] }, { channels: 'mix', formats: ['srt', 'txt'] }],
    [{ language: 'English' }, { language: 'en' }],
    [{ language: 'EN' }, { language: 'en' }],
    [{ language: 'pt-BR' }, { language: 'pt' }],
    [
      { prompt: 'Zoë', channels: 'separate' },
      { prompt: 'Zoë', channels: 'separate' },
    ],
    [{ metadata: { case: '42' } }, { metadata: { case: '42' } }],
    [{ allowPartial: true }, { allowPartial: true }],
  ])('asked for with %j has the options %j', async (request, options) => {
    expect((await jobOf(await ask(request))).options).toMatchObject(options)
  })

  it.each([{}, { language: 'auto' }])('leaves the language to be detected with %j', async (request) => {
    expect((await jobOf(await ask(request))).options).not.toHaveProperty('language')
  })

  it('without a content type is one of unknown bytes', async () => {
    expect((await jobOf(await ask())).contentType).toBe('application/octet-stream')
  })
})

describe('the estimate', () => {
  const pace = { workPerAudio: 0.5, workers: 10, startMs: 1000, dollarsPerHour: 0.6 }
  const asked = (request: object, key?: string) =>
    requestUpload({ ...ports, settings: { ...ports.settings, shardMs: 300_000, pace } })(
      TENANT,
      UploadRequest.parse({
        filename: 'talk.wav',
        sizeBytes: 1_920_000,
        contentType: 'audio/wav',
        ...request,
      }),
      key,
    )

  it('comes with the answer where the service knows its pace', async () => {
    const reply = UploadReply.parse(await asked({ durationMs: 3_600_000 }))
    expect(reply.estimate).toEqual({
      ...{ basis: 'duration', audioMs: 3_600_000, shards: 12 },
      // Two rounds of 150 s, two starts, planning, the rest.
      ...{ wallMs: 300_000 + 2000 + 7200 + 2000, costUsd: 0.3 },
    })
    expect(await asked({ multipart: true })).toMatchObject({ estimate: { basis: 'size', audioMs: 60_000 } })
  })

  it('is the same when the request is repeated', async () => {
    const [first, again] = [await asked({}, 'quoted'), await asked({}, 'quoted')]
    expect(again).toEqual(first)
    expect(first).toHaveProperty('estimate')
  })

  it('is left out where it knows nothing', async () => {
    expect(await ask({ durationMs: 60_000 })).not.toHaveProperty('estimate')
  })

  it('leaves no length in the job: only decoding tells', async () => {
    expect(JSON.stringify(await jobOf(await asked({ durationMs: 61_234 })))).not.toContain('61234')
  })
})

describe('the size of an upload', () => {
  const limited = (sizeBytes: number) => {
    const settings = { ...ports.settings, maxUploadBytes: 500 }
    return requestUpload({ ...ports, settings })(TENANT, UploadRequest.parse({ filename: 'x', sizeBytes }))
  }

  it.each([1, 499, 500])('may be %i of 500 bytes', async (sizeBytes) => {
    expect(await jobOf(await limited(sizeBytes))).toMatchObject({ sizeBytes })
  })

  it.each([
    [0, 'empty-audio'],
    [501, 'too-large'],
    [Number.MAX_SAFE_INTEGER, 'too-large'],
  ])('may not be %i of 500 bytes: %s', async (sizeBytes, code) => {
    const before = (await ports.jobs.list(TENANT, { limit: 100 })).jobs.length
    await expect(limited(sizeBytes)).rejects.toMatchObject({ code })
    expect((await ports.jobs.list(TENANT, { limit: 100 })).jobs).toHaveLength(before)
  })
})

describe('a plan of parts', () => {
  it.each([
    // size of the file, of a part, of the last part, number of parts
    [1, 16 * MIB, 1, 1],
    [16 * MIB, 16 * MIB, 16 * MIB, 1],
    [16 * MIB + 1, 16 * MIB, 1, 2],
    [100 * MIB, 16 * MIB, 4 * MIB, 7],
    [16_000 * MIB, 16 * MIB, 16 * MIB, 1000],
    [16_000 * MIB + 1, 17 * MIB, 3 * MIB + 1, 942],
    [20 * GIB, 21 * MIB, 5 * MIB, 976],
    [5000 * GIB, 5120 * MIB, 5120 * MIB, 1000],
  ])('for %i bytes has parts of %i, the last of %i, %i in all', async (size, part, last, count) => {
    const reply = await ask({ sizeBytes: size, multipart: true })
    if (!('partUrls' in reply)) throw new Error('no plan')
    UploadReply.parse(reply)
    expect(reply.partSizeBytes).toBe(part)
    const claims = reply.partUrls.map((url) => Object.fromEntries(new URL(url).searchParams))
    expect(claims).toHaveLength(count)
    expect(claims.map((claim) => Number(claim.part))).toEqual(Array.from({ length: count }, (_, i) => i + 1))
    const lengths = claims.map(({ length }) => Number(length))
    expect(new Set(lengths.slice(0, -1))).toEqual(new Set(count > 1 ? [part] : []))
    expect(lengths.at(-1)).toBe(last)
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(size)
    expect((await jobOf(reply)).upload.multipart).toEqual({
      ...{ uploadId: reply.uploadId, partSizeBytes: part, parts: count },
    })
  })
})

describe('an idempotency key', () => {
  it('gives the same job for the same request, with URLs that hold no longer', async () => {
    const first = await ask({}, 'key-1')
    ports.time.now += 60_000
    const again = await ask({}, 'key-1')
    expect(again).toEqual(first)
    expect((await jobOf(first)).version).toBe(1)
  })

  it('gives the same plan of parts, and leaves no second one open', async () => {
    const before = openUploads()
    const request = { sizeBytes: 40 * MIB, multipart: true }
    const first = await ask(request, 'key-2')
    expect(await ask(request, 'key-2')).toEqual(first)
    expect(openUploads()).toBe(before + 1)
  })

  it.each([
    [{ sizeBytes: 999 }],
    [{ filename: 'other.wav' }],
    [{ language: 'de' }],
    [{ prompt: 'x' }],
    [{ formats: ['srt'] }],
    [{ multipart: true }],
  ])('is refused for another request: %j', async (request) => {
    const key = `conflict-${JSON.stringify(request)}`
    const before = openUploads()
    const { jobId } = await ask({}, key)
    await expect(ask(request, key)).rejects.toMatchObject({ code: 'idempotency-conflict' })
    expect((await ask({}, key)).jobId).toBe(jobId)
    expect(openUploads()).toBe(before)
  })

  it('says nothing about the same key of another tenant', async () => {
    const mine = await ask({}, 'key-3')
    const theirs = await ask({ sizeBytes: 7 }, 'key-3', 'other')
    expect(theirs.jobId).not.toBe(mine.jobId)
  })

  it('makes one job of many requests at the same moment', async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => ask({}, 'key-4')))
    expect(new Set(replies.map(({ jobId }) => jobId)).size).toBe(1)
  })

  it.each([
    ['UPLOADING', 'upload-expired'],
    ['EXPIRED', 'upload-expired'],
  ] as const)('of a job that is %s, its URL run out, is refused', async (status, code) => {
    const first = await ask({}, `late-${status}`)
    const job = await jobOf(first)
    if (status === 'EXPIRED') await moveJob(ports, job, () => STATES.EXPIRED)
    ports.time.now += ports.settings.uploadTtlMs
    await expect(ask({}, `late-${status}`)).rejects.toMatchObject({ code })
  })

  it.each(['QUEUED', 'FAILED', 'CANCELLED'] as const)(
    'of a job that is %s still names that job',
    async (status) => {
      const first = await ask({}, `past-${status}`)
      await moveJob(ports, await jobOf(first), () => STATES[status])
      expect((await ask({}, `past-${status}`)).jobId).toBe(first.jobId)
    },
  )

  it('of an erased job makes a new one', async () => {
    const first = await ask({}, 'key-5')
    await eraseJob(ports)(TENANT, first.jobId)
    const second = await ask({}, 'key-5')
    expect(second.jobId).not.toBe(first.jobId)
    expect(await jobOf(second)).toMatchObject({ status: 'UPLOADING' })
  })

  it('is forgotten after a day', async () => {
    const first = await ask({}, 'key-6')
    ports.time.now += 24 * 3_600_000 + 1
    expect((await ask({}, 'key-6')).jobId).not.toBe(first.jobId)
  })

  it('is not needed: without one every request makes a job', async () => {
    const replies = [await ask(), await ask()]
    expect(new Set(replies.map(({ jobId }) => jobId)).size).toBe(2)
    expect(await ports.objects.list(uploadKey({ tenant: TENANT, jobId: replies[0]!.jobId }))).toEqual([])
  })
})
