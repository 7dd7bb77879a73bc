import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { SQSEvent } from 'aws-lambda'
import { runPump } from '../../lambdas/events/pump.ts'
import { DeliverAgain, forRecords, type SqsHandler } from '../../lambdas/events/sqs.ts'
import { createQueue } from '../../lib/adapters/local/queue.ts'
import { createPorts, eventually, failing, type TestPorts } from '../support/ports.ts'

let ports: TestPorts
let stop: AbortController
let running: Array<Promise<void>>
beforeEach(async () => {
  ports = await createPorts()
  stop = new AbortController()
  running = []
})
afterEach(async () => {
  stop.abort()
  await Promise.all(running)
  await ports.dispose()
})

const queueOf = (maxReceives = 5) =>
  createQueue(ports.db, 'work', { maxReceives, deadLetterQueue: 'dead', backoffMs: () => 0 })

function pump(
  handler: SqsHandler,
  over: { lanes?: number; visibilityMs?: number; queue?: TestPorts['work'] } = {},
) {
  const options = { name: 'work', queue: queueOf(), lanes: 1, visibilityMs: 60_000, ...over }
  running.push(runPump({ ...options, handler, log: ports.log, stop: stop.signal }))
}

/** Handles each record as the real handlers do, and keeps the events. */
function recording(run: (body: string, delivery: number) => unknown) {
  const events: SQSEvent[] = []
  const handler: SqsHandler = (event) => {
    events.push(event)
    return forRecords(ports.log, async ({ body }) => void (await run(body, events.length)))(event)
  }
  return { events, handler }
}

const isEmpty = async (queue = 'work') => ports.pending(queue).length === 0

describe('a pump', () => {
  it('hands a message to the handler as SQS does, and removes it when it is done', async () => {
    const { events, handler } = recording(() => {})
    await queueOf().send('{"a":1}')
    pump(handler)
    await eventually(isEmpty)
    expect(events).toHaveLength(1)
    const [record] = events[0]!.Records
    expect(record).toEqual({
      ...{ messageId: expect.stringMatching(/^[\w-]{36}$/), receiptHandle: expect.any(String) },
      ...{
        body: '{"a":1}',
        messageAttributes: {},
        md5OfBody: '',
        eventSource: 'aws:sqs',
        awsRegion: 'local',
      },
      eventSourceARN: 'arn:aws:sqs:local:000000000000:work',
      attributes: {
        ...{ ApproximateReceiveCount: '1', SenderId: 'local' },
        ...{ SentTimestamp: expect.stringMatching(/^\d{13}$/) },
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
    })
  })

  it('takes what is sent while it waits', async () => {
    const { events, handler } = recording(() => {})
    const queue = queueOf()
    pump(handler, { queue })
    await queue.send('"late"')
    await eventually(async () => events.length === 1 && isEmpty())
  })

  it('delivers again what failed, as often as it takes', async () => {
    const { events, handler } = recording((_, delivery) => {
      if (delivery < 3) throw new DeliverAgain()
    })
    await queueOf().send('"x"')
    pump(handler)
    await eventually(isEmpty)
    expect(events.map(({ Records: [record] }) => record!.attributes.ApproximateReceiveCount)).toEqual([
      ...['1', '2', '3'],
    ])
    expect(new Set(events.map(({ Records: [record] }) => record!.messageId)).size).toBe(1)
    expect(new Set(events.map(({ Records: [record] }) => record!.receiptHandle)).size).toBe(3)
  })

  it('buries what fails too often, and goes on with the rest', async () => {
    const { events, handler } = recording((body) => {
      if (body === '"poison"') throw new Error('again and again')
    })
    const queue = queueOf(3)
    await queue.send('"poison"')
    await queue.send('"good"')
    pump(handler, { queue })
    await eventually(isEmpty)
    expect(ports.pending('dead')).toEqual(['poison'])
    const bodies = events.map(({ Records: [record] }) => record!.body)
    expect(bodies.toSorted()).toEqual(['"good"', '"poison"', '"poison"', '"poison"'])
  })

  it('handles as many messages side by side as it has lanes', async () => {
    let letGo = () => {}
    const blocked = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const { events, handler } = recording(() => blocked)
    const queue = queueOf()
    for (const body of ['1', '2', '3', '4']) await queue.send(body)
    pump(handler, { queue, lanes: 3 })
    await eventually(async () => events.length === 3)
    expect(ports.pending('work')).toHaveLength(4)
    letGo()
    await eventually(isEmpty)
    expect(events).toHaveLength(4)
  })

  it('holds on to a message for as long as its handler works', async () => {
    let letGo = () => {}
    const blocked = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const { events, handler } = recording(() => blocked)
    const claimedUntil = () =>
      Number(ports.db.sql.prepare("SELECT visible_at FROM messages WHERE queue = 'work'").get()?.visible_at)
    await queueOf().send('"long"')
    pump(handler, { lanes: 2, visibilityMs: 300 })
    await eventually(async () => events.length === 1)
    const first = claimedUntil()
    // Renewed until the first claim is long past: the second lane would have taken the message by then.
    await eventually(async () => claimedUntil() > first && Date.now() > first + 100)
    expect(events).toHaveLength(1)
    letGo()
    await eventually(isEmpty)
    expect(events).toHaveLength(1)
  })

  it('survives a queue in trouble', async () => {
    const { events, handler } = recording(() => {})
    const queue = failing(queueOf(), 'receive', new Error('S3CRET'))
    await queue.send('"x"')
    pump(handler, { queue })
    await eventually(isEmpty)
    expect(events).toHaveLength(1)
    expect(ports.logLines.join()).toContain('"queue failed"')
    expect(ports.logLines.join()).not.toContain('S3CRET')
  })
})

describe('a pump that is stopped', () => {
  it('while it waits for messages ends at once, and takes none any more', async () => {
    const { events, handler } = recording(() => {})
    const queue = queueOf()
    pump(handler, { queue, lanes: 3 })
    stop.abort()
    await Promise.all(running)
    await queue.send('"late"')
    expect(events).toEqual([])
    expect(ports.pending('work')).toHaveLength(1)
  })

  it('lets the handler end, and removes what it has done', async () => {
    let letGo = () => {}
    const blocked = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const { events, handler } = recording(() => blocked)
    await queueOf().send('"x"')
    pump(handler)
    await eventually(async () => events.length === 1)
    stop.abort()
    letGo()
    await Promise.all(running)
    expect(ports.pending('work')).toEqual([])
  })

  it('leaves what was not done to the next start, which does not count it', async () => {
    const { events, handler } = recording(() => {
      stop.abort()
      throw new DeliverAgain()
    })
    const queue = queueOf()
    await queue.send('"x"')
    pump(handler, { queue })
    await Promise.all(running)
    expect(events).toHaveLength(1)
    expect(await queue.releaseAll()).toBe(1)
    const [message] = await queue.receive({ max: 1, visibilityMs: 1000, waitMs: 0 })
    expect(message).toMatchObject({ body: '"x"', receiveCount: 1 })
  })
})
