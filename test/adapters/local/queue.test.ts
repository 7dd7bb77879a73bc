import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createQueue, defaultBackoffMs } from '../../../lib/adapters/local/queue.ts'
import type { Queue } from '../../../lib/core/ports.ts'
import { firstLine, kill, linesOf, startChild } from './child.ts'
import { temporaryDatabase } from './folder.ts'

const NOW = { max: 10, visibilityMs: 1000, waitMs: 0 }

describe('the queue of one machine', () => {
  let folder: ReturnType<typeof temporaryDatabase>
  let now: number
  const clock = () => now
  beforeEach(() => {
    folder = temporaryDatabase()
    now = 1_000_000
  })
  afterEach(() => folder.dispose())

  const retrying = { maxReceives: 3, deadLetterQueue: 'dead', backoffMs: (count: number) => count * 100 }

  it('gives each of 500 messages to one of four processes', async () => {
    const queue = createQueue(folder.db, 'work', { maxReceives: 3 })
    const bodies = Array.from({ length: 500 }, (_, n) => `m${n}`)
    const children = Array.from({ length: 4 }, () =>
      linesOf(startChild('consume.ts', [folder.dataDir, 'work'])),
    )
    for (const body of bodies) await queue.send(body)
    const taken = await Promise.all(children)
    expect(taken.flat().toSorted()).toEqual(bodies.toSorted())
  })

  it('delivers a message of a killed process at once when all claims are released, uncounted', async () => {
    const queue = createQueue(folder.db, 'work', { maxReceives: 3 })
    await queue.send('orphan')
    const child = startChild('claim.ts', [folder.dataDir, 'work'])
    expect(await firstLine(child)).toBe('orphan')
    await kill(child)
    expect(await queue.receive(NOW)).toEqual([])
    expect(await queue.releaseAll()).toBe(1)
    expect(await queue.receive(NOW)).toMatchObject([{ body: 'orphan', receiveCount: 1 }])
  })

  it('releases neither messages that wait nor those of another queue', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    const other = createQueue(folder.db, 'other', retrying, clock)
    for (const each of [queue, other]) await each.send('x')
    const [message] = await queue.receive(NOW)
    await other.receive(NOW)
    await queue.extend(message!.receipt, 0)
    expect(await queue.releaseAll()).toBe(0)
    expect(await queue.receive(NOW)).toEqual([])
    now += 100
    expect(await queue.receive(NOW)).toMatchObject([{ receiveCount: 2 }])
    expect(await other.receive(NOW)).toEqual([])
  })

  it('pauses after a message was given back, longer each time, and then buries it as it was', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    const dead = createQueue(folder.db, 'dead', { maxReceives: 9 }, clock)
    await queue.send('poison')
    const [first] = await queue.receive(NOW)
    await queue.extend(first!.receipt, 0)
    now += 99
    expect(await queue.receive(NOW)).toEqual([])
    now += 1
    const [second] = await queue.receive(NOW)
    await queue.extend(second!.receipt, 0)
    now += 199
    expect(await queue.receive(NOW)).toEqual([])
    now += 1
    const [third] = await queue.receive(NOW)
    await queue.extend(third!.receipt, 0)
    expect(await dead.receive(NOW)).toEqual([{ ...first!, receipt: expect.any(String), receiveCount: 4 }])
  })

  it('pauses after a claim that lapsed, and buries after the last', async () => {
    const queue = createQueue(folder.db, 'work', { ...retrying, maxReceives: 2 }, clock)
    const dead = createQueue(folder.db, 'dead', { maxReceives: 9 }, clock)
    await queue.send('slow')
    await queue.receive(NOW)
    now += 1099
    expect(await queue.receive(NOW)).toEqual([])
    now += 1
    expect(await queue.receive(NOW)).toMatchObject([{ receiveCount: 2 }])
    now += 999
    expect(await queue.receive(NOW)).toEqual([])
    expect(await dead.receive(NOW)).toEqual([])
    now += 1
    expect(await queue.receive(NOW)).toEqual([])
    expect(await dead.receive(NOW)).toMatchObject([{ body: 'slow' }])
  })

  it('honours a claim that has lapsed until somebody else has the message', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    await queue.send('slow')
    const [first] = await queue.receive(NOW)
    now += 5000
    expect(await queue.extend(first!.receipt, 1000)).toBe(true)
    now += 5000
    await queue.receive(NOW)
    expect(await queue.extend(first!.receipt, 1000)).toBe(false)
    expect(await queue.remove(first!.receipt)).toBe(false)
  })

  it('keeps trying where there is no queue for dead letters', async () => {
    const queue = createQueue(folder.db, 'work', { maxReceives: 1, backoffMs: () => 10 }, clock)
    await queue.send('x')
    for (const receiveCount of [1, 2, 3]) {
      const [message] = await queue.receive(NOW)
      expect(message).toMatchObject({ receiveCount })
      await queue.extend(message!.receipt, 0)
      now += 10
    }
  })

  const bodies = async (queue: Queue) => (await queue.receive(NOW)).map(({ body }) => body)

  it('gives one message of each group, those first that have been due longest', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    for (const group of ['g', 'h', 'g', 'i', 'h']) {
      now += 1
      await queue.send(`${group}${now}`, { group })
    }
    expect(await bodies(queue)).toEqual(['g1000001', 'h1000002', 'i1000004'])
    expect(await bodies(queue)).toEqual([])
  })

  it('does not let a delayed message hold up its group, nor go before it is due', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    await queue.send('in 6 s', { group: 'g', delayMs: 6000 })
    await queue.send('in 2 s', { group: 'g', delayMs: 2000 })
    await queue.send('in 4 s', { group: 'g', delayMs: 4000 })
    await queue.send('now', { group: 'g' })
    const order: string[] = []
    for (const _ of [0, 2, 4, 6]) {
      const [message, ...more] = await queue.receive(NOW)
      expect(more).toEqual([])
      order.push(message!.body)
      await queue.remove(message!.receipt)
      expect(await bodies(queue)).toEqual([])
      now += 2000
    }
    expect(order).toEqual(['now', 'in 2 s', 'in 4 s', 'in 6 s'])
  })

  it('lets a group wait through the pause of its first message, and through a claim that lapsed', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    for (const body of ['1', '2']) await queue.send(body, { group: 'g' })
    const [first] = await queue.receive(NOW)
    await queue.extend(first!.receipt, 0)
    now += 99
    expect(await bodies(queue)).toEqual([])
    now += 1
    expect(await bodies(queue)).toEqual(['1'])
    now += 1199
    expect(await bodies(queue)).toEqual([])
    now += 1
    expect(await bodies(queue)).toEqual(['1'])
  })

  it('goes on with a group whose first message wore out its claims', async () => {
    const queue = createQueue(folder.db, 'work', { ...retrying, maxReceives: 1 }, clock)
    const dead = createQueue(folder.db, 'dead', { maxReceives: 9 }, clock)
    for (const body of ['poison 1', 'poison 2', 'good']) await queue.send(body, { group: 'g' })
    for (const body of ['poison 1', 'poison 2', 'good']) {
      expect(await bodies(queue)).toEqual([body])
      now += 1000
    }
    const [first, ...more] = await dead.receive(NOW)
    expect([first!.body, first!.group, more]).toEqual(['poison 1', 'g', []])
    await dead.remove(first!.receipt)
    expect(await bodies(dead)).toEqual(['poison 2'])
  })

  it('delivers the first of a group again, and no other, when all claims are released', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    for (const body of ['1', '2']) await queue.send(body, { group: 'g' })
    await queue.receive(NOW)
    await queue.releaseAll()
    expect(await queue.receive(NOW)).toMatchObject([{ body: '1', receiveCount: 1 }])
    expect(await bodies(queue)).toEqual([])
  })

  it('keeps groups and ids of one name in two queues apart', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    const other = createQueue(folder.db, 'other', retrying, clock)
    for (const each of [queue, other]) await each.send('x', { group: 'g', dedupe: 'id' })
    expect(await bodies(queue)).toEqual(['x'])
    expect(await bodies(other)).toEqual(['x'])
  })

  it('forgets after five minutes that a message was sent', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    await queue.send('x', { dedupe: 'id' })
    now += 5 * 60_000 - 1
    await queue.send('x', { dedupe: 'id' })
    expect(await bodies(queue)).toEqual(['x'])
    now += 1
    await queue.send('x', { dedupe: 'id' })
    expect(await bodies(queue)).toContain('x')
  })

  it('lets receive look at no message that waits behind another, however many there are', async () => {
    const queue = createQueue(folder.db, 'work', retrying, clock)
    for (let n = 0; n < 300; n++) await queue.send(`${n}`, { group: `g${n % 3}`, delayMs: (n * 7) % 11 })
    now += 100
    const { due } = folder.db.sql
      .prepare('SELECT count(*) AS due FROM messages WHERE visible_at <= ?')
      .get(now)!
    expect(due).toBe(3)
    const taken: string[] = []
    for (;;) {
      const messages = await queue.receive(NOW)
      if (messages.length === 0) break
      for (const { body, receipt } of messages) {
        taken.push(body)
        await queue.remove(receipt)
      }
    }
    expect(new Set(taken).size).toBe(300)
  })

  it('pauses a second at first and never more than a minute', () => {
    expect([1, 2, 3, 7, 40].map(defaultBackoffMs)).toEqual([1000, 2000, 4000, 60_000, 60_000])
  })
})
