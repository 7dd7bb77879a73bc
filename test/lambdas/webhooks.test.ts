import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { deliveriesHandler, replayHandler, testWebhookHandler } from '../../lambdas/api/webhooks.ts'
import { createDeliveryStore } from '../../lib/adapters/local/delivery-store.ts'
import { issueToken } from '../../lib/adapters/tokens.ts'
import { afterAttempt } from '../../lib/core/webhooks/after-attempt.ts'
import { DeliveryList, DeliveryView } from '../../lib/core/webhooks/contract.ts'
import { type Delivery, newDelivery } from '../../lib/core/webhooks/delivery.ts'
import type { Answer } from '../../lib/core/webhooks/ports.ts'
import { createPorts, START } from '../support/ports.ts'
import { type HttpRequest, httpEvent } from './samples.ts'

const TENANT = 'acme'
const LIVE = { kind: 'live' } as const

let ports: Awaited<ReturnType<typeof prepare>>
let tokens: { readonly own: string; readonly other: string }

async function prepare(live = true) {
  const base = await createPorts()
  const woken: number[] = []
  return {
    ...base,
    deliveries: createDeliveryStore(base.db, base.clock),
    webhooks: live ? { live: { url: 'https://receiver.example/hook' } } : {},
    mayPostTo: (url: string) => url.startsWith('https:'),
    wakeDeliveries: () => void woken.push(base.clock()),
    woken,
  }
}

beforeAll(async () => {
  ports = await prepare()
  const [own, other] = await Promise.all([TENANT, 'other'].map((name) => issueToken(ports, name, 'test')))
  tokens = { own: own!.token, other: other!.token }
})
beforeEach(() => {
  ports.reset()
  ports.woken.length = 0
  ports.db.sql.exec('DELETE FROM deliveries; DELETE FROM lanes')
})
afterAll(() => ports.dispose())

const HANDLERS = {
  'GET /webhooks/deliveries': () => deliveriesHandler(ports),
  'POST /webhooks/deliveries/{deliveryId}/replay': () => replayHandler(ports),
  'POST /webhooks/test': () => testWebhookHandler(ports),
} as const

async function call(
  route: keyof typeof HANDLERS,
  request: HttpRequest & { id?: string } = {},
  token = tokens.own,
) {
  const event = httpEvent(route, { headers: { authorization: `Bearer ${token}` }, ...request })
  const { id } = request
  const reply = await HANDLERS[route]()({
    ...event,
    ...(id !== undefined && { pathParameters: { deliveryId: id } }),
  })
  return { status: reply.statusCode, body: JSON.parse(String(reply.body)) }
}
const list = (query: Record<string, string> = {}, token = tokens.own) =>
  call('GET /webhooks/deliveries', { query }, token)

/** Deliveries of one session, a second apart, each with the outcome of its last attempt. */
async function store(...answers: Array<Answer | undefined>): Promise<Delivery[]> {
  const made: Delivery[] = []
  for (const [segment, answer] of answers.entries()) {
    const lane = `${START}_session`
    const subject = {
      type: 'segment',
      sessionId: 'standup',
      sessionAt: START,
      segment,
      zeroAt: START,
    } as const
    const id = `msg_${lane}_${String(segment).padStart(8, '0')}`
    const fresh = newDelivery({ id, tenant: TENANT, lane, subject, endpoint: LIVE }, START + segment * 1000)
    await ports.deliveries.add(fresh)
    const next = answer && afterAttempt(fresh, answer, { now: START + 10_000, random: 0 })
    if (next) await ports.deliveries.update(fresh, next)
    made.push(next ?? fresh)
  }
  return made
}

describe('GET /webhooks/deliveries', () => {
  it('shows what was sent and how that went, newest first, and nothing of what was said', async () => {
    await store({ status: 204 }, { failure: 'timeout' }, { status: 410 }, undefined)
    const { status, body } = await list()
    expect(status).toBe(200)
    const { deliveries } = DeliveryList.parse(body)
    expect(deliveries.map(({ segmentId, ...it }) => [segmentId, it.status])).toEqual([
      [3, 'PENDING'],
      [2, 'FAILED'],
      [1, 'PENDING'],
      [0, 'DELIVERED'],
    ])
    expect(deliveries[2]).toMatchObject({ attempts: 1, lastFailure: 'timeout', sessionId: 'standup' })
    expect(Date.parse(deliveries[2]!.nextAttemptAt ?? '')).toBeGreaterThan(START + 10_000)
    expect(deliveries[1]).toMatchObject({ reason: 'gone', lastStatus: 410 })
    expect(deliveries[3]).toEqual({
      ...{ deliveryId: `msg_${START}_session_00000000`, status: 'DELIVERED', type: 'segment' },
      ...{ sessionId: 'standup', segmentId: 0, attempts: 1, lastStatus: 204 },
      ...{ createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:10.000Z' },
    })
  })

  it('gives each of one status once, over pages of any size', async () => {
    const ok = { status: 200 }
    await store(...Array.from({ length: 23 }, (_, i) => (i % 3 === 0 ? ok : { failure: 'timeout' as const })))
    for (const limit of ['1', '3', '8', '100']) {
      const found: Array<number | undefined> = []
      let cursor: string | undefined
      do {
        const { body } = await list({ status: 'delivered', limit, ...(cursor !== undefined && { cursor }) })
        const page = DeliveryList.parse(body)
        expect(page.deliveries.length).toBeLessThanOrEqual(Number(limit))
        found.push(...page.deliveries.map(({ segmentId }) => segmentId))
        cursor = page.cursor
      } while (cursor !== undefined)
      expect(found).toEqual([21, 18, 15, 12, 9, 6, 3, 0])
    }
  })

  it("shows nobody another tenant's", async () => {
    await store({ status: 204 })
    expect((await list({}, tokens.other)).body).toEqual({ deliveries: [] })
  })

  it.each([{ status: 'LOST' }, { limit: '0' }, { limit: '101' }, { cursor: 'x' }, { colour: 'red' }])(
    'refuses the query %j',
    async (query) => {
      expect(await list(query as Record<string, string>)).toMatchObject({
        status: 400,
        body: { error: { code: 'bad-request' } },
      })
    },
  )
})

describe('POST /webhooks/deliveries/{deliveryId}/replay', () => {
  const replay = (id: string, token?: string) =>
    call('POST /webhooks/deliveries/{deliveryId}/replay', { id }, token)

  it('makes an ended delivery due again under its own id, and wakes the sender', async () => {
    const [delivered] = await store({ status: 204 })
    ports.time.now = START + 60_000
    const { status, body } = await replay(delivered!.id)
    expect(status).toBe(202)
    expect(DeliveryView.parse(body)).toMatchObject({
      ...{ deliveryId: delivered!.id, status: 'PENDING', attempts: 0 },
      nextAttemptAt: new Date(START + 60_000).toISOString(),
    })
    expect(await ports.deliveries.due(ports.clock(), 10)).toHaveLength(1)
    expect(ports.woken).toHaveLength(1)
  })

  it('knows no delivery that is not there, or is not the caller’s', async () => {
    const [delivered] = await store({ status: 204 })
    const theirs = await replay(delivered!.id, tokens.other)
    expect(theirs).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } })
    expect(await replay(`msg_${START}_nobody_event`)).toEqual(theirs)
    expect(await ports.deliveries.get(TENANT, delivered!.id)).toMatchObject({ status: 'DELIVERED' })
  })
})

describe('POST /webhooks/test', () => {
  const test = (body: unknown) => call('POST /webhooks/test', { body: JSON.stringify(body) })

  it('puts a test for the operator’s endpoint, or for a URL, into the log', async () => {
    const one = DeliveryView.parse((await test({})).body)
    expect(one).toMatchObject({ status: 'PENDING', type: 'webhook.test', attempts: 0 })
    expect(one.url).toBeUndefined()
    const url = 'https://receiver.example/mine'
    const two = DeliveryView.parse((await test({ url })).body)
    expect(two.url).toBe(url)
    expect(two.deliveryId).not.toBe(one.deliveryId)
    const { deliveries } = DeliveryList.parse((await list()).body)
    expect(new Set(deliveries.map(({ deliveryId }) => deliveryId))).toEqual(
      new Set([one.deliveryId, two.deliveryId]),
    )
    expect(ports.woken).toHaveLength(2)
  })

  it.each([{ url: 'http://10.0.0.1/' }, { url: 'ftp://receiver.example' }, { url: 'x' }, { uri: 'x' }])(
    'refuses %j',
    async (body) => {
      expect(await test(body)).toMatchObject({ status: 400, body: { error: { code: 'bad-request' } } })
      expect((await list()).body).toEqual({ deliveries: [] })
    },
  )

  it('says what to do where the operator has set no endpoint', async () => {
    const without = await prepare(false)
    try {
      const { token } = await issueToken(without, TENANT, 'test')
      const event = httpEvent('POST /webhooks/test', { headers: { authorization: `Bearer ${token}` } })
      const reply = await testWebhookHandler(without)(event)
      expect(reply.statusCode).toBe(409)
      expect(JSON.parse(String(reply.body)).error).toMatchObject({
        code: 'wrong-state',
        hint: expect.stringContaining('ENGINE_API_URL'),
      })
    } finally {
      await without.dispose()
    }
  })
})

it.each(Object.keys(HANDLERS) as Array<keyof typeof HANDLERS>)(
  '%s refuses who has no token',
  async (route) => {
    expect(await call(route, { headers: {} })).toMatchObject({
      status: 401,
      body: { error: { code: 'unauthorized' } },
    })
  },
)
