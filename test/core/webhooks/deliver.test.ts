import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { createPoster } from '../../../lib/adapters/sinks/webhook.ts'
import { publishedSegment } from '../../../lib/core/live/published.ts'
import { replay, webhookSink } from '../../../lib/core/webhooks/announce.ts'
import { deliverDue } from '../../../lib/core/webhooks/deliver.ts'
import type { Answer, DeliverPorts } from '../../../lib/core/webhooks/ports.ts'
import { TRIED_FOR_MS } from '../../../lib/core/webhooks/schedule.ts'
import { SESSION_AT, sampleFinal, sampleFinals, sampleSession } from '../../support/live-segments.ts'
import { failing } from '../../support/ports.ts'
import { SECRET, setup, TOKEN } from './setup.ts'

const session = sampleSession()

let test: Awaited<ReturnType<typeof setup>>
beforeEach(async () => {
  test = await setup()
  test.stored.sessions = [session]
})
afterEach(() => test.dispose())

/** Finals that are in the store and announced, as a worker does it. */
async function announce(count: number, of = session): Promise<void> {
  test.stored.finals = sampleFinals(Math.max(count, test.stored.finals.length))
  await webhookSink(test.ports).publish(of, test.stored.finals.slice(0, count), SESSION_AT)
}

const deliver = (over: Partial<DeliverPorts> = {}) => deliverDue({ ...test.ports, ...over })()

/** Lets the time go by, looking after what is due every second. */
async function pass(ms: number): Promise<void> {
  for (const end = test.time.now + ms; test.time.now < end; ) {
    test.time.now = Math.min(test.time.now + 1000, end)
    await deliver()
  }
}

const log = async (tenant = 'default') =>
  (await test.ports.deliveries.list(tenant, { limit: 100 })).deliveries

describe('finals by webhook', () => {
  it('arrive one by one and in order, in the shape that the endpoint knows', async () => {
    await announce(3)
    expect(await deliver()).toBe(3)
    const { requests } = test.receiver
    expect(requests.map(({ body }) => JSON.parse(body))).toEqual(
      sampleFinals(3).map((final) => [publishedSegment(session, final, SESSION_AT)]),
    )
    for (const { method, path, headers } of requests) {
      expect([method, path]).toEqual(['POST', '/engine/meeting-1'])
      expect(headers).toMatchObject({ authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' })
    }
  })

  it('are signed so that the library of Standard Webhooks accepts them', async () => {
    await announce(1)
    await deliver()
    const [{ body, headers } = { body: '', headers: {} }] = test.receiver.requests
    expect(new Webhook(SECRET).verify(body, headers)).toEqual(JSON.parse(body))
  })

  it('have ids that are the same for ever, differ between sessions and tenants, and hold no full stop', async () => {
    const others = [
      sampleSession({ sessionId: 'meeting.2' }),
      sampleSession({ tenant: 'acme' }),
      sampleSession({ createdAt: SESSION_AT + 1 }),
    ]
    for (const each of [session, session, ...others]) await announce(2, each)
    const ids = [...(await log()), ...(await log('acme'))].map(({ id }) => id)
    expect(new Set(ids).size).toBe(8)
    expect(ids.filter((id) => /[^\w-]/.test(id))).toEqual([])
  })

  it('are announced once, however often their worker repeats the step', async () => {
    await announce(2)
    await announce(2)
    await deliver()
    await announce(3)
    await deliver()
    expect(test.arrived()).toEqual([0, 1, 2])
  })

  it('wake whoever sends them, but only when there is something new', async () => {
    await announce(2)
    expect(test.woken()).toBe(1)
    await announce(2)
    expect(test.woken()).toBe(1)
  })

  it('are accepted once each when several workers send at the same time', async () => {
    await announce(20)
    await Promise.all([deliver(), deliver(), deliver(), deliver()])
    expect(test.arrived()).toEqual(sampleFinals(20).map(({ id }) => id))
  })

  it('wait for a receiver that is down, and come in order when it is back', async () => {
    await test.receiver.stop()
    await announce(2)
    await pass(10 * 60_000)
    await announce(4)
    await test.receiver.restart()
    await pass(20 * 60_000)
    expect(test.arrived()).toEqual([0, 1, 2, 3])
    expect((await log()).map(({ status }) => status)).toEqual(Array(4).fill('DELIVERED'))
  })

  it('are sent again after an error, with the same id and body and a new signature', async () => {
    test.receiver.behave((response) => response.writeHead(500).end())
    await announce(2)
    await deliver()
    test.receiver.recover()
    test.time.now += 1000
    await deliver()
    expect(test.arrived()).toEqual([0, 0, 1])
    const [first, second] = test.receiver.requests
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
    expect(second!.body).toBe(first!.body)
    expect(second!.headers['webhook-timestamp']).not.toBe(first!.headers['webhook-timestamp'])
    expect(new Webhook(SECRET).verify(second!.body, second!.headers as Record<string, string>)).toBeDefined()
  })

  it.each([301, 307, 401, 404])('are tried again after %d', async (status) => {
    test.receiver.behave((response) => response.writeHead(status, { location: test.receiver.url }).end())
    await announce(1)
    await deliver()
    expect(await log()).toMatchObject([{ status: 'PENDING', lastStatus: status, attempts: 1 }])
    expect(test.receiver.requests).toHaveLength(1)
  })

  it('are tried again when the receiver does not answer', async () => {
    test.receiver.behave(() => undefined)
    await announce(1)
    const impatient = async (): Promise<Answer> => ({ failure: 'timeout' })
    await deliver({ post: impatient })
    expect(await log()).toMatchObject([{ status: 'PENDING', lastFailure: 'timeout', attempts: 1 }])
  })

  it('leave a receiver alone for as long as it asks', async () => {
    test.receiver.behave((response) => response.writeHead(429, { 'retry-after': '90' }).end())
    await announce(1)
    await deliver()
    await pass(89_000)
    expect(test.receiver.requests).toHaveLength(1)
    await pass(1000)
    expect(test.receiver.requests).toHaveLength(2)
  })

  it('are no longer sent to a session whose receiver answers 410', async () => {
    test.receiver.behave((response) => response.writeHead(410).end())
    await announce(3)
    await deliver()
    await announce(5)
    await pass(60_000)
    expect(test.receiver.requests).toHaveLength(1)
    expect(await log()).toMatchObject(Array(5).fill({ status: 'FAILED', reason: 'gone' }))
  })

  it('of one session do not wait for those of another', async () => {
    const other = sampleSession({ sessionId: 'meeting-2' })
    test.stored.sessions.push(other)
    test.receiver.behave((response, { path }) => response.writeHead(path.endsWith('-1') ? 500 : 200).end())
    await announce(1)
    await announce(2, other)
    expect(await deliver()).toBe(2)
  })

  it('are given up after a day, kept in the log, and can be sent again', async () => {
    test.receiver.behave((response) => response.writeHead(503).end())
    await announce(2)
    await deliver()
    while ((await log()).some(({ status }) => status === 'PENDING')) {
      const [lane] = await test.ports.deliveries.due(Number.MAX_SAFE_INTEGER, 1)
      test.time.now = lane!.nextAt
      await deliver()
    }
    expect(await log()).toMatchObject(Array(2).fill({ status: 'FAILED', reason: 'expired', lastStatus: 503 }))
    expect(test.time.now).toBe((await log())[0]!.createdAt + TRIED_FOR_MS)

    test.receiver.recover()
    test.receiver.requests.length = 0
    for (const { id } of (await log()).toReversed()) await replay(test.ports)('default', id)
    await deliver()
    expect(test.arrived()).toEqual([0, 1])
    expect(await log()).toMatchObject(Array(2).fill({ status: 'DELIVERED' }))
  })

  it('are sent again under the same id by a worker that died before it wrote that they had arrived', async () => {
    await announce(2)
    const dying = failing(test.ports.deliveries, 'update', new Error('killed'))
    await deliver({ deliveries: dying })
    expect(test.arrived()).toEqual([0])
    // Nobody else takes the session over before the claim has lapsed.
    await deliver()
    expect(test.arrived()).toEqual([0])
    test.time.now += 30_000
    await deliver()
    expect(test.arrived()).toEqual([0, 0, 1])
    const ids = test.receiver.requests.map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(2)
  })

  it('have one accepted request per id when workers die at every step and the receiver fails at random', async () => {
    const accepted: string[] = []
    let turn = 0
    test.receiver.behave((response, { headers }) => {
      const id = headers['webhook-id']!
      const wanted = turn++ % 3 !== 0
      // The receiver knows an id that it has taken already: what at-least-once asks of it.
      if (wanted && !accepted.includes(id)) accepted.push(id)
      response.writeHead(wanted ? 200 : 500).end()
    })
    const steps = ['claim', 'head', 'update', 'release'] as const
    for (let round = 0; accepted.length < 12 || round < 20; round++) {
      await announce(Math.min(12, round + 1))
      const deliveries = failing(test.ports.deliveries, steps[round % 4]!, new Error('killed'))
      await deliver({ deliveries })
      test.time.now += 30_000
    }
    await pass(60_000)
    expect(accepted).toEqual([...new Set(accepted)].sort())
    expect((await log()).map(({ status }) => status)).toEqual(Array(12).fill('DELIVERED'))
  })

  it('are given up when their session has been erased, also when a new one has its name', async () => {
    await announce(1)
    test.stored.sessions = [sampleSession({ createdAt: SESSION_AT + 1 })]
    await deliver()
    expect(test.receiver.requests).toEqual([])
    expect(await log()).toMatchObject([{ status: 'FAILED', reason: 'erased' }])
  })

  it('tell a name that came late, if they had not arrived before', async () => {
    test.receiver.behave((response) => response.writeHead(500).end())
    await announce(1)
    await deliver()
    test.stored.finals = [sampleFinal(0, { speaker: 'Jürgen', revision: 2 })]
    test.receiver.recover()
    test.time.now += 1000
    await deliver()
    expect(test.receiver.requests.map(({ body }) => JSON.parse(body)[0].speaker)).toEqual(['Zoë', 'Jürgen'])
  })

  it('are given up when the operator has no endpoint any more', async () => {
    await announce(1)
    await deliver({ webhooks: { secrets: [] } })
    expect(await log()).toMatchObject([{ status: 'FAILED', reason: 'no-endpoint' }])
  })

  it('leave no word, name or token in the program log', async () => {
    test.receiver.behave((response) => response.writeHead(500).end('geheim'))
    await announce(1)
    await deliver()
    test.receiver.behave((response) => response.writeHead(410).end('geheim'))
    await pass(1000)
    expect(test.logLines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'webhook-not-taken', status: 500, attempt: 1, messageId: expect.stringMatching(/^msg_/) },
      { event: 'webhook-given-up', status: 410, code: 'gone', attempt: 2 },
    ])
    expect(test.logLines.join('\n')).not.toMatch(/Grüße|Zoë|geheim|127\.0\.0\.1|operators-token|whsec_/)
  })

  it('go below an address that has a query', async () => {
    await announce(1)
    const live = { url: `${test.receiver.url}/hook?key=1` }
    await deliver({ webhooks: { live, secrets: [] } })
    const [{ path, headers } = { path: '', headers: {} }] = test.receiver.requests
    expect(path).toBe('/hook/meeting-1?key=1')
    expect(headers).not.toHaveProperty('authorization')
    expect(headers).not.toHaveProperty('webhook-signature')
  })

  it('reach the endpoint of the operator in a private network without being listed', async () => {
    await announce(1)
    await deliver({ post: createPoster() })
    expect(test.arrived()).toEqual([0])
  })
})
