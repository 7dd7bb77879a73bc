import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createWaker } from '../../lambdas/aws/waker.ts'
import { deliverHandler } from '../../lambdas/events/deliver.ts'
import { createQueue } from '../../lib/adapters/local/queue.ts'
import { webhookSink } from '../../lib/core/webhooks/announce.ts'
import { setup } from '../core/webhooks/setup.ts'
import { SESSION_AT, sampleFinals, sampleSession } from '../support/live-segments.ts'

const session = sampleSession()

let test: Awaited<ReturnType<typeof setup>>
beforeEach(async () => {
  test = await setup()
  test.stored.sessions = [session]
})
afterEach(() => test.dispose())

async function announce(count: number): Promise<void> {
  test.stored.finals = sampleFinals(count)
  await webhookSink(test.ports).publish(session, test.stored.finals, SESSION_AT)
}

/** Runs until it ends by itself; a pause lets its time go by. Gives how many have ended and how long it took. */
async function run(during: () => unknown = () => undefined) {
  const begin = test.time.now
  const ended = await deliverHandler(test.ports)({
    signal: new AbortController().signal,
    pause: async (ms) => {
      test.time.now += ms
      await during()
    },
  })
  return { ended, tookMs: test.time.now - begin }
}

describe('the function that sends webhooks', () => {
  it('sends what is there, and looks once more for what was announced in the same second', async () => {
    await announce(2)
    expect(await run(() => announce(3))).toMatchObject({ ended: 3 })
    expect(test.arrived()).toEqual([0, 1, 2])
  })

  it('stays for what failed and is tried again within seconds', async () => {
    await announce(1)
    let refusals = 2
    test.receiver.behave((response) => response.writeHead(refusals-- > 0 ? 503 : 204).end())
    expect(await run()).toMatchObject({ ended: 1 })
    expect(test.arrived()).toEqual([0, 0, 0])
  })

  it('leaves a receiver that stays down to the schedule', async () => {
    await announce(1)
    test.receiver.behave((response) => response.writeHead(503).end())
    const { ended, tookMs } = await run()
    expect(ended).toBe(0)
    // Until the pause between two attempts is longer than it looks ahead.
    expect(tookMs).toBeLessThan(60_000)
    const [lane] = await test.ports.deliveries.due(Number.MAX_SAFE_INTEGER, 1)
    expect(lane!.nextAt - test.time.now).toBeGreaterThan(10_000)
  })

  it('ends when its time is up', async () => {
    await announce(1)
    test.receiver.behave((response) => response.writeHead(503).end())
    expect(await deliverHandler(test.ports)({ signal: AbortSignal.abort(), pause: async () => {} })).toBe(0)
  })
})

describe('whoever announces a webhook', () => {
  it('wakes that function once a second, and does not fail when it can’t be woken', async () => {
    const queue = createQueue(test.db, 'wake', { maxReceives: 3 }, test.ports.clock)
    const waker = createWaker({ ...test.ports, queue })
    for (const _ of [1, 2, 3]) waker.wake()
    await waker.settled()
    const [message, ...others] = await queue.receive({ max: 10, visibilityMs: 1000, waitMs: 0 })
    expect(message).toMatchObject({ group: 'deliveries' })
    expect(others).toEqual([])

    const broken = createWaker({
      ...test.ports,
      queue: { ...queue, send: () => Promise.reject(new Error('down')) },
    })
    broken.wake()
    await broken.settled()
    expect(test.logLines.join()).toContain('wake-up failed')
  })
})
