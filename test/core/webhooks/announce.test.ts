import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { createPoster } from '../../../lib/adapters/sinks/webhook.ts'
import type { Job } from '../../../lib/core/job.ts'
import { announceJob, announceTest, replay } from '../../../lib/core/webhooks/announce.ts'
import { deliverDue } from '../../../lib/core/webhooks/deliver.ts'
import { tenantSecret } from '../../../lib/core/webhooks/signature.ts'
import { SECRET, setup } from './setup.ts'

const AT = Date.UTC(2026, 10, 20, 10)

const base = {
  ...{ jobId: '01JD0000000000000000000001', tenant: 'acme', version: 5, filename: 'Gespräch.m4a' },
  ...{ contentType: 'audio/mp4', sizeBytes: 5, createdAt: AT - 60_000, updatedAt: AT },
  options: { channels: 'mix', formats: ['json'], prompt: 'Zoë', metadata: { case: '7' } },
} as const satisfies Partial<Job>
const completed: Job = {
  ...{ ...base, options: { ...base.options, formats: ['json'] } },
  ...{ status: 'COMPLETED', startedAt: AT - 5000, completedAt: AT, durationMs: 61_000, language: 'de' },
}
const failed: Job = {
  ...{ ...base, options: { ...base.options, formats: ['json'] } },
  ...{ status: 'FAILED', error: { code: 'bad-audio', message: 'It does not play.' } },
}

let test: Awaited<ReturnType<typeof setup>>
beforeEach(async () => {
  test = await setup()
})
afterEach(() => test.dispose())

const log = async () => (await test.ports.deliveries.list('acme', { limit: 10 })).deliveries

describe('the end of a job by webhook', () => {
  it.each([
    [completed, 'job.completed', { durationMs: 61_000, language: 'de' }],
    [failed, 'job.failed', { error: { code: 'bad-audio', message: 'It does not play.' } }],
  ] as const)('tells what became of it, and neither its words nor its file name', async (job, type, more) => {
    test.stored.jobs = [job]
    await announceJob(test.ports)(job, `${test.receiver.url}/hook`)
    expect(await deliverDue(test.ports)()).toBe(1)
    const [{ path, body } = { path: '', body: '' }] = test.receiver.requests
    expect(path).toBe('/hook')
    expect(JSON.parse(body)).toEqual({
      type,
      timestamp: '2026-11-20T10:00:00.000Z',
      data: {
        ...{ jobId: job.jobId, status: job.status, metadata: { case: '7' } },
        ...{ createdAt: '2026-11-20T09:59:00.000Z', updatedAt: '2026-11-20T10:00:00.000Z' },
        ...more,
      },
    })
  })

  it("is signed with the tenant's own secret, and does not carry the operator's token", async () => {
    test.stored.jobs = [completed]
    await announceJob(test.ports)(completed, test.receiver.url)
    await deliverDue(test.ports)()
    const [{ body, headers } = { body: '', headers: {} as Record<string, string> }] = test.receiver.requests
    expect(new Webhook(await tenantSecret(SECRET, 'acme')).verify(body, headers)).toBeDefined()
    expect(() => new Webhook(SECRET).verify(body, headers)).toThrow()
    expect(headers).not.toHaveProperty('authorization')
  })

  it('is told once, however often it is announced', async () => {
    test.stored.jobs = [completed]
    for (let times = 0; times < 3; times++) {
      await announceJob(test.ports)(completed, test.receiver.url)
      await deliverDue(test.ports)()
    }
    expect(test.receiver.requests).toHaveLength(1)
  })

  it('is not told of a job that goes on or that its owner has cancelled', async () => {
    for (const status of ['QUEUED', 'CANCELLED'] as const) {
      await announceJob(test.ports)({ ...failed, status } as Job, test.receiver.url)
    }
    expect(await log()).toEqual([])
  })

  it('is given up when the job has been erased', async () => {
    await announceJob(test.ports)(completed, test.receiver.url)
    await deliverDue(test.ports)()
    expect(await log()).toMatchObject([{ status: 'FAILED', reason: 'erased' }])
  })

  it('does not reach a private address that the operator has not listed', async () => {
    test.stored.jobs = [completed]
    await announceJob(test.ports)(completed, test.receiver.url)
    await deliverDue({ ...test.ports, post: createPoster() })()
    expect(test.receiver.requests).toEqual([])
    expect(await log()).toMatchObject([{ status: 'PENDING', lastFailure: 'blocked' }])
  })
})

describe('a test event', () => {
  it('goes to the endpoint and into the log', async () => {
    const endpoint = { kind: 'url', url: test.receiver.url } as const
    const { id } = await announceTest(test.ports)('acme', endpoint, 'abc')
    await deliverDue(test.ports)()
    const [{ body, headers } = { body: '', headers: {} as Record<string, string> }] = test.receiver.requests
    expect(JSON.parse(body)).toMatchObject({ type: 'webhook.test', data: {} })
    expect(headers['webhook-id']).toBe(id)
    expect(await log()).toMatchObject([{ id, status: 'DELIVERED', lastStatus: 204 }])
  })

  it('goes to the endpoint of the live lane with its token', async () => {
    await announceTest(test.ports)('acme', { kind: 'live' }, 'abc')
    await deliverDue(test.ports)()
    expect(test.receiver.requests).toMatchObject([
      { path: '/engine/', headers: { authorization: expect.stringMatching(/^Bearer /) } },
    ])
  })
})

describe('a replay', () => {
  it('does not know an id that is not there or another tenant has', async () => {
    const { id } = await announceTest(test.ports)('acme', { kind: 'live' }, 'abc')
    await expect(replay(test.ports)('other', id)).rejects.toMatchObject({ code: 'not-found' })
    await expect(replay(test.ports)('acme', `${id}x`)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('sends what has arrived once more, under the same id', async () => {
    const { id } = await announceTest(test.ports)('acme', { kind: 'live' }, 'abc')
    await deliverDue(test.ports)()
    await replay(test.ports)('acme', id)
    await deliverDue(test.ports)()
    expect(test.receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([id, id])
  })
})
