import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { healthHandler, openapiHandler } from '../../lambdas/api/about.ts'
import type { HttpHandler } from '../../lambdas/api/http.ts'
import { cancelHandler, eraseHandler, listHandler, statusHandler } from '../../lambdas/api/jobs.ts'
import { LIVE_ROUTES, ROUTES, type RouteName } from '../../lambdas/api/routes.ts'
import { completeHandler, uploadHandler } from '../../lambdas/api/upload.ts'
import { issueToken } from '../../lib/adapters/tokens.ts'
import { ErrorReply, JobList, JobStatus, UploadReply } from '../../lib/core/contract.ts'
import { VerbatimError } from '../../lib/core/errors.ts'
import { STATUSES } from '../../lib/core/job.ts'
import { STATES, storeJob, TENANT } from '../core/batch/jobs.ts'
import { createPorts, failing, type TestPorts } from '../support/ports.ts'
import { type HttpRequest, httpEvent } from './samples.ts'

let ports: TestPorts
let token: string
let otherToken: string
beforeAll(async () => {
  ports = await createPorts()
  token = (await issueToken(ports, TENANT, 'test')).token
  otherToken = (await issueToken(ports, 'other', 'test')).token
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const handlersOf = (its: TestPorts): Record<RouteName, HttpHandler> => ({
  ...{ upload: uploadHandler(its), complete: completeHandler(its), status: statusHandler(its) },
  ...{ list: listHandler(its), cancel: cancelHandler(its), erase: eraseHandler(its) },
  ...{ health: healthHandler(its), openapi: openapiHandler(its) },
})

interface Answer {
  readonly status: number | undefined
  readonly headers: Record<string, unknown>
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came, whatever it is.
  readonly body: any
  readonly text: string
}

/** Calls a route as API Gateway does; with the tenant's token unless the request has its own header. */
async function call(route: RouteName, request: HttpRequest = {}, its: TestPorts = ports): Promise<Answer> {
  const { method, path } = ROUTES[route]
  const headers = { authorization: `Bearer ${token}`, ...request.headers }
  const reply = await handlersOf(its)[route](httpEvent(`${method} ${path}`, { ...request, headers }))
  const text = String(reply.body ?? '')
  return { status: reply.statusCode, headers: reply.headers ?? {}, text, body: text && JSON.parse(text) }
}

const upload = (body: unknown, headers: Record<string, string> = {}) =>
  call('upload', { body: typeof body === 'string' ? body : JSON.stringify(body), headers })

const StrictError = z.strictObject({ error: ErrorReply.shape.error.strict() })

function expectError({ status, body, headers }: Answer, expected: [status: number, code: string]): void {
  expect([status, StrictError.parse(body).error.code]).toEqual(expected)
  expect(body.error.requestId).toBe('JKJaXmPLvHcESHA=')
  expect(body.error.hint.length).toBeGreaterThan(10)
  expect(headers).toMatchObject({
    ...{ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  })
}

const GOOD = { filename: 'talk.wav', sizeBytes: 1000 }
const PROTECTED = (Object.keys(ROUTES) as RouteName[]).filter(
  (name) => name !== 'health' && name !== 'openapi',
)

describe('a route that wants a token', () => {
  it.each(PROTECTED)('%s refuses who has none', async (route) => {
    const answer = await call(route, { headers: { authorization: '' }, jobId: 'x' })
    expectError(answer, [401, 'unauthorized'])
    expect(answer.headers['www-authenticate']).toBe('Bearer')
  })

  it.each([
    ['nothing at all', () => undefined],
    ['no scheme', () => token],
    ['another scheme', () => `Basic ${token}`],
    ['no token', () => 'Bearer '],
    ['two tokens', () => `Bearer ${token} ${token}`],
    ['a token that was never given out', () => `Bearer vb_${'a'.repeat(12)}_${'b'.repeat(43)}`],
    [
      'a known token with another secret',
      () => `Bearer ${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`,
    ],
    ['a token that goes on', () => `Bearer ${token}x`],
    ['SQL', () => "Bearer ' OR 1=1 --"],
  ])('refuses %s', async (_, header) => {
    const authorization = header()
    const event = httpEvent('GET /jobs', { ...(authorization && { headers: { authorization } }) })
    const reply = await listHandler(ports)(event)
    expect(reply.statusCode).toBe(401)
    expect(reply.body).not.toContain(token.slice(-10))
    expect(ports.logLines.join()).not.toContain(token.slice(-10))
  })

  it.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])('takes the scheme %j', async (scheme) => {
    const { status } = await call('list', { headers: { authorization: `${scheme} ${token} ` } })
    expect(status).toBe(200)
  })

  it('refuses a token that was revoked', async () => {
    const revoked = await issueToken(ports, TENANT, 'short-lived')
    const headers = { authorization: `Bearer ${revoked.token}` }
    expect((await call('list', { headers })).status).toBe(200)
    await ports.tokens.remove(revoked.record.tokenId)
    expect((await call('list', { headers })).status).toBe(401)
  })

  it.each(['status', 'cancel', 'erase', 'complete'] as const)(
    '%s answers another tenant as if there were no such job',
    async (route) => {
      const { jobId } = await storeJob(ports, 'QUEUED')
      const headers = { authorization: `Bearer ${otherToken}` }
      const theirs = await call(route, { jobId, headers })
      const nobodys = await call(route, { jobId: '01JDZZZZZZZZZZZZZZZZZZZZZZ' })
      expectError(theirs, [404, 'unknown-job'])
      expect(theirs).toEqual(nobodys)
    },
  )

  it.each(['status', 'cancel', 'erase', 'complete'] as const)(
    '%s knows no job by a strange id',
    async (route) => {
      for (const jobId of ['__proto__', '../x', '', "' OR 1=1 --", 'a'.repeat(5000), '\u0000'])
        expectError(await call(route, { jobId }), [404, 'unknown-job'])
    },
  )
})

describe('POST /upload', () => {
  it('answers 201 with where to send the file', async () => {
    const { status, body, headers } = await upload(GOOD)
    expect(status).toBe(201)
    expect(UploadReply.parse(body)).toEqual(body)
    expect(headers).toMatchObject({ 'cache-control': 'no-store' })
    expect(await ports.jobs.get(TENANT, body.jobId)).toMatchObject({ status: 'UPLOADING', ...GOOD })
  })

  it.each([
    ['as text', {}],
    ['in base64, as API Gateway sends what it takes for binary', { base64: true }],
    ['under a stage', { stage: 'prod' }],
    [
      'as a form, which is what curl -d says',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
  ])('reads the body %s', async (_, how) => {
    const filename = 'Müller 会議.wav'
    const { status, body } = await call('upload', { body: JSON.stringify({ ...GOOD, filename }), ...how })
    expect(status).toBe(201)
    expect(await ports.jobs.get(TENANT, body.jobId)).toMatchObject({ filename })
  })

  it.each([
    ['no body', undefined],
    ['an empty body', ''],
    ['an empty object', '{}'],
  ])('names what is missing in %s', async (_, body) => {
    const answer = await call('upload', { ...(body !== undefined && { body }) })
    expectError(answer, [400, 'bad-request'])
    expect(answer.body.error.message).toMatch(/body\.filename: .*; body\.sizeBytes: /)
  })

  it('quotes what the job will take, where the service knows', async () => {
    const pace = { workPerAudio: 0.5, workers: 2, startMs: 0, dollarsPerHour: 1 }
    const its = { ...ports, settings: { ...ports.settings, pace } }
    const body = JSON.stringify({ ...GOOD, durationMs: 60_000, allowPartial: true })
    const answer = await call('upload', { body }, its)
    expect(UploadReply.parse(answer.body)).toEqual(answer.body)
    expect(answer.body.estimate).toEqual({
      ...{ basis: 'duration', audioMs: 60_000, shards: 1, wallMs: 32_120, costUsd: 0.0083 },
    })
    expect(await ports.jobs.get(TENANT, answer.body.jobId)).toMatchObject({
      options: { allowPartial: true },
    })
  })

  it('honours an Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'a key of ours' }
    const [first, second] = [await upload(GOOD, key), await upload(GOOD, key)]
    expect(second.body).toEqual(first.body)
    expectError(await upload({ ...GOOD, sizeBytes: 1 }, key), [409, 'idempotency-conflict'])
  })

  it.each(['', 'x'.repeat(256), 'tab\there', 'zoë'])('refuses the Idempotency-Key %j', async (key) => {
    const answer = await upload(GOOD, { 'idempotency-key': key })
    expectError(answer, [400, 'bad-request'])
    expect(answer.body.error.message).toMatch(/^Idempotency-Key: /)
    if (key) expect(answer.text).not.toContain(key)
  })

  it.each([
    [{ ...GOOD, sizeBytes: 0 }, 422, 'empty-audio'],
    [{ ...GOOD, sizeBytes: 21 * 1024 ** 3 }, 413, 'too-large'],
  ])('refuses %j with %i', async (body, status, code) => {
    expectError(await upload(body), [status, code])
  })
})

/** Stands where a client's data stands; it must come back in no reply and no log line. */
const SECRET = 'S3CRET'

describe('a request that does not fit the contract', () => {
  it.each<[string, unknown, string?]>([
    ['body.filename', { ...GOOD, filename: SECRET.repeat(99) }],
    ['body.filename', { ...GOOD, filename: { of: SECRET } }],
    ['body.sizeBytes', { ...GOOD, sizeBytes: SECRET }],
    ['body.sizeBytes', { ...GOOD, sizeBytes: -1 }],
    ['body.sizeBytes', { ...GOOD, sizeBytes: 1.5 }],
    ['body.language', { ...GOOD, language: SECRET }, 'unknown-language'],
    ['body.prompt', { ...GOOD, prompt: SECRET.repeat(999) }],
    ['body.channels', { ...GOOD, channels: SECRET }],
    ['body.formats.1', { ...GOOD, formats: ['srt', SECRET] }],
    ['body.formats', { ...GOOD, formats: [] }],
    ['body.contentType', { ...GOOD, contentType: SECRET }],
    ['body.contentType', { ...GOOD, contentType: `audio/wav\r\nx-header: ${SECRET}` }],
    ['body.multipart', { ...GOOD, multipart: SECRET }],
    ['body.allowPartial', { ...GOOD, allowPartial: SECRET }],
    ['body.durationMs', { ...GOOD, durationMs: SECRET }],
    ['body.durationMs', { ...GOOD, durationMs: 0 }],
    ['body.metadata.case', { ...GOOD, metadata: { case: { of: SECRET } } }],
    [
      'body.metadata',
      {
        ...GOOD,
        metadata: {
          a: SECRET.repeat(150),
          b: SECRET.repeat(150),
          c: SECRET.repeat(150),
          d: SECRET.repeat(150),
          e: SECRET.repeat(150),
        },
      },
    ],
    ['"surprise"', { ...GOOD, surprise: SECRET }],
    ['body:', `"${SECRET}"`],
    ['body:', `["${SECRET}"]`],
    ['body:', 'null'],
    ['The body is not valid JSON.', `{"filename": ${SECRET}`],
    ['The body is not valid JSON.', `${SECRET}=1`],
  ])('is told which field is wrong (%s), never what was in it', async (field, body, code = 'bad-request') => {
    const answer = await upload(body)
    expectError(answer, [400, code])
    expect(answer.body.error.message).toContain(field)
    expect(answer.text).not.toContain(SECRET)
    expect(ports.logLines.join()).not.toContain(SECRET)
  })

  it.each([
    ['query.limit', { limit: SECRET }],
    ['query.limit', { limit: '0' }],
    ['query.limit', { limit: '101' }],
    ['query.status', { status: SECRET }],
    ['"page"', { page: SECRET }],
    ['query.cursor', { cursor: SECRET.repeat(99) }],
    ['cursor', { cursor: SECRET }],
  ])('is told so for a query, too: %s', async (field, query) => {
    const answer = await call('list', { query })
    expectError(answer, [400, 'bad-request'])
    expect(answer.body.error.message).toContain(field)
    expect(answer.text).not.toContain(SECRET)
  })

  it('names five things that are wrong, not five hundred', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, { of: i }]))
    const { body } = await upload({ ...GOOD, metadata: many })
    expect(body.error.message.split('; ')).toHaveLength(5)
  })
})

describe('POST /upload/{jobId}/complete', () => {
  it('needs no body', async () => {
    const { jobId } = await storeJob(ports, 'QUEUED')
    const { status, body } = await call('complete', { jobId })
    expect([status, body.status]).toEqual([200, 'QUEUED'])
  })

  it.each([
    ['body.parts', { parts: SECRET }],
    ['body.parts.0.etag', { parts: [{ partNumber: 1 }] }],
    ['body.parts.0.partNumber', { parts: [{ partNumber: 0, etag: SECRET }] }],
  ])('checks its body: %s', async (field, body) => {
    const { jobId } = await storeJob(ports, 'QUEUED')
    const answer = await call('complete', { jobId, body: JSON.stringify(body) })
    expectError(answer, [400, 'bad-request'])
    expect(answer.body.error.message).toContain(field)
    expect(answer.text).not.toContain(SECRET)
  })

  it('has a status for every state', async () => {
    const answers: Record<string, unknown> = {}
    for (const state of STATUSES) {
      const { jobId } = await storeJob(ports, state)
      const { status, body } = await call('complete', { jobId })
      answers[state] = [status, status === 200 ? body.status : body.error.code]
    }
    expect(answers).toEqual({
      UPLOADING: [409, 'wrong-state'],
      QUEUED: [200, 'QUEUED'],
      PROCESSING: [200, 'PROCESSING'],
      COMPLETED: [200, 'COMPLETED'],
      FAILED: [200, 'FAILED'],
      CANCELLED: [409, 'cancelled'],
      EXPIRED: [410, 'upload-expired'],
    })
  })
})

describe('GET /status/{jobId}', () => {
  it.each(STATUSES)('answers 200 for a job that is %s, by the contract', async (state) => {
    const { jobId } = await storeJob(ports, state)
    const { status, body, headers } = await call('status', { jobId, stage: 'prod' })
    expect(status).toBe(200)
    expect(JobStatus.parse(body)).toEqual(body)
    expect(body).toMatchObject({ jobId, status: state })
    expect(headers['cache-control']).toBe('no-store')
  })
})

describe('GET /status/{jobId} of a long recording', () => {
  it('counts its shards', async () => {
    const job = await storeJob(ports, {
      ...STATES.PROCESSING,
      ...{ durationMs: 600_000, shards: { total: 8, audioMs: 480_000, sent: true } },
    })
    await ports.shards.begin(job)
    await ports.shards.end(job, { shard: 2, audioMs: 60_000, workMs: 30_000, engineMs: 29_000 })
    ports.time.now += 30_000
    const { body } = await call('status', { jobId: job.jobId })
    expect(JobStatus.parse(body)).toEqual(body)
    expect(body).toMatchObject({ progress: 0.125, shards: { done: 1, total: 8 }, speed: 2.5 })
  })
})

describe('GET /jobs', () => {
  it('filters, limits and goes on at its cursor', async () => {
    const tenant = 'pages'
    const headers = { authorization: `Bearer ${(await issueToken(ports, tenant, 't')).token}` }
    for (const state of ['QUEUED', 'FAILED', 'QUEUED', 'QUEUED'] as const)
      await storeJob(ports, state, { tenant })
    const first = await call('list', { headers, query: { status: 'QUEUED', limit: '2' } })
    expect(first.status).toBe(200)
    expect(JobList.parse(first.body).jobs).toHaveLength(2)
    const query = { status: 'QUEUED', limit: '2', cursor: first.body.cursor }
    const second = await call('list', { headers, query })
    expect(second.body.jobs).toHaveLength(1)
    expect(second.body).not.toHaveProperty('cursor')
    // A cursor is its tenant's own.
    expectError(await call('list', { query }), [400, 'bad-request'])
  })

  it('of a new tenant is empty', async () => {
    const headers = { authorization: `Bearer ${(await issueToken(ports, 'new', 't')).token}` }
    expect((await call('list', { headers })).body).toEqual({ jobs: [] })
  })
})

describe('POST /jobs/{jobId}/cancel', () => {
  it('answers with the cancelled job, as often as it is asked', async () => {
    const { jobId } = await storeJob(ports, 'PROCESSING')
    for (let times = 0; times < 2; times++) {
      const { status, body } = await call('cancel', { jobId })
      expect([status, JobStatus.parse(body).status]).toEqual([200, 'CANCELLED'])
    }
  })

  it.each(['COMPLETED', 'FAILED', 'EXPIRED'] as const)('of a job that is %s is too late', async (state) => {
    const { jobId } = await storeJob(ports, state)
    expectError(await call('cancel', { jobId }), [409, 'wrong-state'])
  })
})

describe('DELETE /jobs/{jobId}', () => {
  it('answers 204 with nothing, and 404 from then on', async () => {
    const { jobId } = await storeJob(ports, 'COMPLETED')
    expect(await call('erase', { jobId })).toEqual({ status: 204, headers: {}, text: '', body: '' })
    expectError(await call('erase', { jobId }), [404, 'unknown-job'])
    expectError(await call('status', { jobId }), [404, 'unknown-job'])
  })
})

describe('a fault of ours', () => {
  const thrown = (error: unknown) => ({ ...ports, jobs: failing(ports.jobs, 'get', error) })
  const logged = () => ports.logLines.map((line) => JSON.parse(line) as Record<string, string>)

  it('is answered without its details, and logged with its place but not its words', async () => {
    const its = thrown(new Error(`cannot read ${SECRET}`))
    const answer = await call('status', { jobId: 'x' }, its)
    expectError(answer, [500, 'internal'])
    expect(answer.text).not.toContain(SECRET)
    expect(logged()).toEqual([
      expect.objectContaining({
        ...{ level: 'error', event: 'request failed', code: 'internal', route: 'GET /status/{jobId}' },
        ...{ requestId: 'JKJaXmPLvHcESHA=', stack: expect.stringMatching(/^at .*:\d+:\d+/) },
      }),
    ])
    expect(ports.logLines.join()).not.toContain(SECRET)
  })

  it.each([
    [new VerbatimError('storage-unavailable', 'The database is busy.', { cause: new Error(SECRET) }), 503],
    [Object.assign(new Error(SECRET), { code: 'ENOSPC' }), 507],
    [SECRET, 500],
    [undefined, 500],
    [{ message: SECRET }, 500],
  ])('is a reply whatever was thrown: %p', async (error, status) => {
    const answer = await call('status', { jobId: 'x' }, thrown(error))
    expect(answer.status).toBe(status)
    StrictError.parse(answer.body)
    expect(answer.text).not.toContain(SECRET)
    expect(logged()).toHaveLength(1)
    expect(ports.logLines.join()).not.toContain(SECRET)
  })

  it('is none when the request is to blame: nothing is logged as an error', async () => {
    await upload({ sizeBytes: SECRET })
    await call('status', { jobId: 'x' })
    await call('list', { headers: { authorization: '' } })
    expect(logged()).toEqual([])
  })
})

describe('for everybody', () => {
  it('GET /health says what runs', async () => {
    const { status, body } = await call('health', { headers: { authorization: '' } })
    expect([status, body]).toEqual([200, { status: 'ok', version: '1.2.3', model: 'scripted' }])
  })

  it('GET /openapi.json describes every route', async () => {
    const { status, body } = await call('openapi', { headers: { authorization: '' } })
    expect([status, body.openapi, body.info.version]).toEqual([200, '3.1.0', '1.2.3'])
    const routes = { ...ROUTES, ...LIVE_ROUTES }
    const { JobStatus: views, ...schemas } = body.components.schemas
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(['Estimate', 'Usage', 'Gap', 'Downloads']))
    expect(JSON.stringify(views)).toContain('remainingMs')
    for (const [name, { method, path }] of Object.entries(routes))
      expect(body.paths[path]?.[method.toLowerCase()]?.operationId).toBe(name)
    expect(Object.keys(body.paths).toSorted()).toEqual(
      [...new Set(Object.values(routes).map(({ path }) => path))].toSorted(),
    )
  })
})
