import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Validator } from '@seriousme/openapi-schema-validator'
import { createToken } from '../../local/admin.ts'
import { ALL_ROUTES } from '../../local/http-event.ts'
import { samplePath } from '../support/reference.ts'
import {
  call,
  cleanUp,
  download,
  ended,
  put,
  type RunningService,
  startService,
  tempFolder,
  until,
  uploadBytes,
} from '../support/service.ts'

// The REST contract as a client sees it that knows nothing of our code: real HTTP, real engine, real files.

let service: RunningService
let other: { url: string; token: string }
let short: Buffer

beforeAll(async () => {
  const data = await tempFolder()
  service = await startService({ data })
  const { token } = await createToken({ data, tenant: 'other', name: 'test' })
  other = { url: service.url, token }
  short = await readFile(samplePath('short'))
})
afterAll(cleanUp)

const request = (extra: object = {}) => ({ filename: 'short.wav', sizeBytes: short.length, ...extra })

describe('a recording', () => {
  it('becomes a transcript in all four formats, with status and progress on the way', async () => {
    const jobId = await uploadBytes(service, short, {
      filename: 'Müller & Söhne.wav',
      metadata: { case: '42' },
    })
    const status = await ended(service, jobId)
    expect(status).toMatchObject({
      jobId,
      status: 'COMPLETED',
      progress: 1,
      durationMs: 3295,
      language: 'en',
      metadata: { case: '42' },
    })
    expect(new Date(status.createdAt).toISOString()).toBe(status.createdAt)
    expect(Object.keys(status.downloads)).toEqual(['json', 'srt', 'vtt', 'txt'])

    const sentence = 'Please send the report to Alice before Friday.'
    expect((await download(status, 'txt')).trim()).toBe(sentence)
    expect((await download(status, 'srt')).replaceAll('\n', ' ')).toContain(sentence)
    expect(await download(status, 'vtt')).toMatch(/^WEBVTT\n/)
    const transcript = JSON.parse(await download(status, 'json'))
    expect(transcript).toMatchObject({
      format: 'verbatim-transcript/1.0',
      jobId,
      text: sentence,
      language: { code: 'en', detected: true },
      engine: { name: 'whisper.cpp', model: 'mini' },
      warnings: [],
    })
    expect(transcript.segments[0].words.map((word: { text: string }) => word.text).join(' ')).toBe(sentence)
  })

  it('is downloaded under its own name and safely', async () => {
    const jobId = await uploadBytes(service, short, { filename: 'Müller & "Söhne".wav' })
    const { downloads } = await ended(service, jobId)
    const response = await fetch(downloads.srt)
    const disposition = response.headers.get('content-disposition') ?? ''
    expect(disposition).toMatch(/^attachment;/)
    expect(decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1] ?? '')).toBe(
      'Müller & "Söhne".srt',
    )
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('makes only the formats that were asked for', async () => {
    const jobId = await uploadBytes(service, short, { formats: ['vtt', 'vtt'], language: 'English' })
    const { downloads, language } = await ended(service, jobId)
    expect([Object.keys(downloads), language]).toEqual([['vtt'], 'en'])
  })

  it('can be sent in parts', async () => {
    // Two parts, of which only the second is short: the samples are too small, so silence is put in front.
    const header = Buffer.from(short.subarray(0, 44))
    const silence = Buffer.alloc(18 * 1024 ** 2)
    header.writeUInt32LE(silence.length + short.length - 8, 4)
    header.writeUInt32LE(silence.length + short.length - 44, 40)
    const bytes = Buffer.concat([header, silence, short.subarray(44)])
    const made = await call(service, 'POST', '/upload', request({ sizeBytes: bytes.length, multipart: true }))
    expect(made.status).toBe(201)
    const { jobId, partSizeBytes, partUrls, headers } = made.body
    expect(partUrls).toHaveLength(Math.ceil(bytes.length / partSizeBytes))

    const early = await call(service, 'POST', `/upload/${jobId}/complete`, {})
    expect([early.status, early.body.error.code]).toEqual([409, 'upload-incomplete'])
    const etags = await Promise.all(
      partUrls.map(async (url: string, index: number) => {
        const part = bytes.subarray(index * partSizeBytes, (index + 1) * partSizeBytes)
        const response = await put(url, part, headers)
        return { partNumber: index + 1, etag: response.headers.get('etag') }
      }),
    )
    const wrong = etags.map((part) => ({ ...part, etag: '"nonsense"' }))
    expect((await call(service, 'POST', `/upload/${jobId}/complete`, { parts: wrong })).status).toBe(409)
    expect((await call(service, 'POST', `/upload/${jobId}/complete`, { parts: etags })).status).toBe(200)
    expect((await call(service, 'POST', `/upload/${jobId}/complete`)).status).toBe(200)

    const status = await ended(service, jobId)
    expect((await download(status, 'txt')).trim()).toBe('Please send the report to Alice before Friday.')
  })
})

describe('Idempotency-Key', () => {
  it('gives the same job for the same request, however often', async () => {
    const key = { 'idempotency-key': 'order 1' }
    const replies = await Promise.all(
      [1, 2, 3, 4].map(() => call(service, 'POST', '/upload', request(), key)),
    )
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    expect(new Set(replies.map(({ body }) => body.jobId)).size).toBe(1)
  })

  it('refuses another request with the same key, and keeps tenants apart', async () => {
    const key = { 'idempotency-key': 'order-2' }
    const first = await call(service, 'POST', '/upload', request(), key)
    const second = await call(service, 'POST', '/upload', request({ language: 'de' }), key)
    expect([second.status, second.body.error.code]).toEqual([409, 'idempotency-conflict'])
    const foreign = await call(other, 'POST', '/upload', request({ language: 'de' }), key)
    expect(foreign.status).toBe(201)
    expect(foreign.body.jobId).not.toBe(first.body.jobId)
  })
})

describe('tenants', () => {
  it("get the same 404 for another's job as for one that never was", async () => {
    const jobId = await uploadBytes(service, short)
    await ended(service, jobId)
    const never = '01JD0000000000000000000000'
    for (const [method, path] of [
      ['GET', '/status/ID'],
      ['POST', '/jobs/ID/cancel'],
      ['DELETE', '/jobs/ID'],
      ['POST', '/upload/ID/complete'],
    ] as const) {
      const [theirs, nobodys] = await Promise.all(
        [jobId, never].map((id) => call(other, method, path.replace('ID', id))),
      )
      expect(theirs?.status).toBe(404)
      expect({ ...theirs?.body.error, requestId: '' }).toEqual({ ...nobodys?.body.error, requestId: '' })
    }
    const list = await call(other, 'GET', '/jobs?limit=100')
    expect(list.body.jobs.map((job: { jobId: string }) => job.jobId)).not.toContain(jobId)
    expect((await ended(service, jobId)).status).toBe('COMPLETED')
  })

  it.each([
    ['no token', {}],
    ['no scheme', { authorization: 'vb_x_y' }],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['nonsense', { authorization: 'Bearer nonsense' }],
    ['hostile nonsense', { authorization: `Bearer vb_${"'; DROP TABLE tokens;--"}` }],
  ])('need a token: %s is a 401', async (_, headers) => {
    const response = await fetch(`${service.url}/jobs`, { headers: headers as Record<string, string> })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(((await response.json()) as { error: { code: string } }).error.code).toBe('unauthorized')
  })
})

describe('a job', () => {
  it('can be cancelled until it has ended, and leaves no audio', async () => {
    const { body } = await call(service, 'POST', '/upload', request())
    const cancelled = await call(service, 'POST', `/jobs/${body.jobId}/cancel`)
    expect([cancelled.status, cancelled.body.status]).toEqual([200, 'CANCELLED'])
    expect((await call(service, 'POST', `/jobs/${body.jobId}/cancel`)).status).toBe(200)
    // The URL still holds; what it takes is thrown away, and the job stays as it is.
    await put(body.uploadUrl, short, body.headers)
    await until(async () => /"event":"upload arrived".*"already-past"/.exec(service.log()) ?? undefined)
    expect((await ended(service, body.jobId)).status).toBe('CANCELLED')
  })

  it('that is being transcribed stops soon after it is cancelled', async () => {
    const long = await readFile(samplePath('meeting180'))
    const jobId = await uploadBytes(service, long, { filename: 'long.flac' })
    await until(async () =>
      (await call(service, 'GET', `/status/${jobId}`)).body.status === 'PROCESSING' ? true : undefined,
    )
    expect((await call(service, 'POST', `/jobs/${jobId}/cancel`)).status).toBe(200)
    await until(
      async () => new RegExp(`job left.*${jobId}|${jobId}.*job left`).exec(service.log()) ?? undefined,
    )
    const { status, error } = await ended(service, jobId)
    expect([status, error.code]).toEqual(['CANCELLED', 'cancelled'])
  })

  it('that has ended cannot be cancelled', async () => {
    const jobId = await uploadBytes(service, short)
    await ended(service, jobId)
    const reply = await call(service, 'POST', `/jobs/${jobId}/cancel`)
    expect([reply.status, reply.body.error.code]).toEqual([409, 'wrong-state'])
  })

  it('is erased with all its files, and its URLs with it', async () => {
    const jobId = await uploadBytes(service, short)
    const { downloads } = await ended(service, jobId)
    expect((await call(service, 'DELETE', `/jobs/${jobId}`)).status).toBe(204)
    expect((await call(service, 'GET', `/status/${jobId}`)).status).toBe(404)
    expect((await call(service, 'DELETE', `/jobs/${jobId}`)).status).toBe(404)
    expect((await fetch(downloads.txt)).status).toBe(404)
  })

  it('is listed newest first, by pages and by status', async () => {
    const tenant = await createToken({ data: service.data, tenant: 'lister', name: 'test' })
    const me = { url: service.url, token: tenant.token }
    const made: string[] = []
    for (let i = 0; i < 5; i++) made.unshift((await call(me, 'POST', '/upload', request())).body.jobId)
    await call(me, 'POST', `/jobs/${made[1]}/cancel`)

    const seen: string[] = []
    for (let cursor = ''; ; ) {
      const { body } = await call(
        me,
        'GET',
        `/jobs?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      seen.push(...body.jobs.map((job: { jobId: string }) => job.jobId))
      if (!body.cursor) break
      cursor = body.cursor
    }
    expect(seen).toEqual(made)
    const cancelled = await call(me, 'GET', '/jobs?status=CANCELLED')
    expect(cancelled.body.jobs.map((job: { jobId: string }) => job.jobId)).toEqual([made[1]])
    expect((await call(me, 'GET', '/jobs?cursor=nonsense')).status).toBe(400)
  })
})

describe('the API', () => {
  it('says what it is and describes itself', async () => {
    const health = await call(service, 'GET', '/health')
    expect(health.body).toMatchObject({ status: 'ok', model: 'mini' })
    const { body } = await call(service, 'GET', '/openapi.json')
    expect(await new Validator().validate(body)).toEqual({ valid: true })
    expect(Object.keys(body.paths)).toEqual([...new Set(Object.values(ALL_ROUTES).map(({ path }) => path))])
    expect(body.components.schemas.UploadRequest.required).toEqual(['filename', 'sizeBytes'])
  })

  it('may be used by a page of any origin', async () => {
    const preflight = await fetch(`${service.url}/upload`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,idempotency-key',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    for (const name of ['authorization', 'content-type', 'idempotency-key']) {
      expect(preflight.headers.get('access-control-allow-headers')).toContain(name)
    }
    const refused = await fetch(`${service.url}/jobs`, { headers: { origin: 'https://app.example' } })
    expect(refused.headers.get('access-control-allow-origin')).toBe('*')
  })

  it.each([
    ['POST', '/upload', '{', 400, 'bad-request'],
    ['POST', '/upload', {}, 400, 'bad-request'],
    ['POST', '/upload', [], 400, 'bad-request'],
    ['POST', '/upload', 'null', 400, 'bad-request'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 0 }, 422, 'empty-audio'],
    ['POST', '/upload', { filename: 'a', sizeBytes: -1 }, 400, 'bad-request'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 1.5 }, 400, 'bad-request'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 1e15 }, 413, 'too-large'],
    ['POST', '/upload', { filename: '', sizeBytes: 1 }, 400, 'bad-request'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 1, language: 'klingon' }, 400, 'unknown-language'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 1, langauge: 'en' }, 400, 'bad-request'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 1, formats: [] }, 400, 'bad-request'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 1, formats: ['docx'] }, 400, 'bad-request'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 1, channels: 'left' }, 400, 'bad-request'],
    ['POST', '/upload', { filename: 'a', sizeBytes: 1, contentType: 'a\r\nb: c' }, 400, 'bad-request'],
    ['POST', '/upload', ' '.repeat(2 * 1024 ** 2), 413, 'too-large'],
    ['GET', '/jobs?limit=0', undefined, 400, 'bad-request'],
    ['GET', '/jobs?limit=many', undefined, 400, 'bad-request'],
    ['GET', '/jobs?status=DONE', undefined, 400, 'bad-request'],
    ['GET', '/status/..%2f..%2fetc', undefined, 404, 'unknown-job'],
    ['GET', '/status/%zz', undefined, 400, 'bad-request'],
    ['GET', '/nowhere', undefined, 404, 'not-found'],
    ['PUT', '/upload', undefined, 405, 'method-not-allowed'],
    ['DELETE', '/health', undefined, 405, 'method-not-allowed'],
  ])('answers %s %s: %#', async (method, path, body, status, code) => {
    const reply = await call(service, method, path, body)
    expect([reply.status, reply.body.error.code]).toEqual([status, code])
    expect(reply.body.error.hint).toEqual(expect.any(String))
    expect(reply.body.error.requestId).toEqual(expect.any(String))
  })

  it('never repeats in an error what it was sent', async () => {
    const reply = await call(service, 'POST', '/upload', {
      filename: 'a',
      sizeBytes: 'secret-words',
      prompt: 7,
    })
    expect(JSON.stringify(reply.body)).not.toContain('secret-words')
  })
})
