import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Message, Queue } from '../../lib/core/ports.ts'

export interface QueueUnderTest {
  /** Empty, and nobody else uses it. Moves a message to `deadLetters` after 3 deliveries. */
  readonly queue: Queue
  readonly deadLetters: Queue
  dispose(): Promise<void>
}

/** Longer than any pause of a queue before it tries a message again. */
const PATIENCE_MS = 20_000
const LONG_MS = 60_000

/** Receives until `count` messages have come, or patience ends. */
async function collect(queue: Queue, count: number, visibilityMs = LONG_MS): Promise<Message[]> {
  const messages: Message[] = []
  const until = Date.now() + PATIENCE_MS
  while (messages.length < count && Date.now() < until) {
    messages.push(...(await queue.receive({ max: 10, visibilityMs, waitMs: 1000 })))
  }
  return messages
}

/** What every Queue must do. No order is assumed, and no visibility time below SQS's one second. */
export function describeQueue(name: string, make: () => Promise<QueueUnderTest>): void {
  describe(`Queue: ${name}`, () => {
    let queue: Queue
    let deadLetters: Queue
    let dispose: () => Promise<void>
    beforeEach(async () => {
      ;({ queue, deadLetters, dispose } = await make())
    })
    afterEach(() => dispose())

    it('delivers what was sent, with its count and time', async () => {
      const before = Date.now()
      await queue.send('{"text":"Grüße 🎙"}')
      const [message] = await collect(queue, 1)
      expect(message).toMatchObject({ body: '{"text":"Grüße 🎙"}', receiveCount: 1 })
      // The clocks of two machines may differ a little.
      expect(Math.abs(message!.sentAt - before)).toBeLessThan(60_000)
    })

    it('delivers every message of many', async () => {
      const bodies = Array.from({ length: 25 }, (_, n) => `m${n}`)
      for (const body of bodies) await queue.send(body)
      const messages = await collect(queue, bodies.length)
      expect(new Set(messages.map(({ body }) => body))).toEqual(new Set(bodies))
      expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(bodies.length)
    })

    it('gives at most as many messages as were asked for', async () => {
      for (const body of ['a', 'b', 'c']) await queue.send(body)
      expect(
        (await queue.receive({ max: 2, visibilityMs: LONG_MS, waitMs: 1000 })).length,
      ).toBeLessThanOrEqual(2)
    })

    it('waits for a message that comes later', async () => {
      const waiting = queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs: PATIENCE_MS })
      await sleep(300)
      await queue.send('late')
      expect((await waiting).map(({ body }) => body)).toEqual(['late'])
    })

    it('comes back empty-handed when nothing was sent in time', async () => {
      expect(await queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs: 0 })).toEqual([])
    })

    it('stops waiting when it is told to', async () => {
      const stop = new AbortController()
      const waiting = queue.receive({
        max: 1,
        visibilityMs: LONG_MS,
        waitMs: PATIENCE_MS,
        signal: stop.signal,
      })
      await sleep(100)
      stop.abort()
      expect(await waiting).toEqual([])
      expect(
        await queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs: PATIENCE_MS, signal: stop.signal }),
      ).toEqual([])
    })

    it('hides a claimed message from others', async () => {
      await queue.send('mine')
      expect(await collect(queue, 1)).toHaveLength(1)
      expect(await queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs: 1500 })).toEqual([])
    })

    it('delivers a message again when its claim lapses, and counts', async () => {
      await queue.send('again')
      const [first] = await collect(queue, 1, 1000)
      const [second] = await collect(queue, 1)
      expect(second).toMatchObject({ messageId: first!.messageId, body: 'again', receiveCount: 2 })
      expect(second!.receipt).not.toBe(first!.receipt)
    })

    it('knows that a lapsed claim was lost to another, and keeps the other’s', async () => {
      await queue.send('contested')
      const [first] = await collect(queue, 1, 1000)
      const [second] = await collect(queue, 1)
      await queue.extend(first!.receipt, 0)
      await queue.remove(first!.receipt)
      expect(await queue.extend(second!.receipt, LONG_MS)).toBe(true)
      expect(await queue.remove(second!.receipt)).toBe(true)
    })

    it('keeps a claim that is extended', async () => {
      await queue.send('long work')
      const [message] = await collect(queue, 1, 2000)
      expect(await queue.extend(message!.receipt, LONG_MS)).toBe(true)
      expect(await queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs: 4000 })).toEqual([])
      expect(await queue.remove(message!.receipt)).toBe(true)
    })

    it('delivers a message again that was given back', async () => {
      await queue.send('not now')
      const [message] = await collect(queue, 1)
      expect(await queue.extend(message!.receipt, 0)).toBe(true)
      expect(await collect(queue, 1)).toMatchObject([{ body: 'not now', receiveCount: 2 }])
    })

    it('never delivers a removed message again', async () => {
      await queue.send('done')
      const [message] = await collect(queue, 1, 1000)
      expect(await queue.remove(message!.receipt)).toBe(true)
      expect(await queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs: 3000 })).toEqual([])
    })

    it('holds a message back for the time it is sent with', async () => {
      await queue.send('later', { delayMs: 2000 })
      expect(await queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs: 0 })).toEqual([])
      expect(await collect(queue, 1)).toMatchObject([{ body: 'later', receiveCount: 1 }])
    })

    it('moves a message that failed three times to the dead letters', async () => {
      await queue.send('poison')
      for (const receiveCount of [1, 2, 3]) {
        const [message] = await collect(queue, 1)
        expect(message).toMatchObject({ body: 'poison', receiveCount })
        await queue.extend(message!.receipt, 0)
      }
      // SQS moves it only when somebody asks for it once more.
      expect(await queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs: 1500 })).toEqual([])
      expect(await collect(deadLetters, 1)).toMatchObject([{ body: 'poison' }])
    })

    it('gives each message to one of many who ask at once', async () => {
      const bodies = Array.from({ length: 40 }, (_, n) => `m${n}`)
      await Promise.all(bodies.map((body) => queue.send(body)))
      const asked = await Promise.all(Array.from({ length: 4 }, () => collectQuietly(queue)))
      expect(asked.flat().toSorted()).toEqual(bodies.toSorted())
    })
  })
}

/** Receives and removes until nothing comes any more. */
async function collectQuietly(queue: Queue): Promise<string[]> {
  const bodies: string[] = []
  for (;;) {
    const messages = await queue.receive({ max: 5, visibilityMs: LONG_MS, waitMs: 1500 })
    if (messages.length === 0) return bodies
    for (const { receipt, body } of messages) if (await queue.remove(receipt)) bodies.push(body)
  }
}

/** What a Queue with groups must do besides. The queue is empty, nobody else uses it, and it takes 3 deliveries. */
export function describeGroupedQueue(name: string, make: () => Promise<QueueUnderTest>): void {
  describe(`Queue with groups: ${name}`, () => {
    let queue: Queue
    let deadLetters: Queue
    let dispose: () => Promise<void>
    beforeEach(async () => {
      ;({ queue, deadLetters, dispose } = await make())
    })
    afterEach(() => dispose())
    const one = (waitMs = 1500) => queue.receive({ max: 1, visibilityMs: LONG_MS, waitMs })
    const bodiesOf = (messages: Message[]) => messages.map(({ body }) => body)

    it('delivers the messages of a group in order, each when the one before is done', async () => {
      for (const body of ['1', '2', '3']) await queue.send(body, { group: 'g' })
      for (const body of ['1', '2', '3']) {
        const [message] = await one()
        expect(message).toMatchObject({ body, receiveCount: 1 })
        expect(await one(500)).toEqual([])
        expect(await queue.remove(message!.receipt)).toBe(true)
      }
      expect(await one(500)).toEqual([])
    })

    it('does not hold up other groups', async () => {
      for (const group of ['g', 'h', 'i']) await queue.send(`${group}1`, { group })
      for (const group of ['g', 'h', 'i']) await queue.send(`${group}2`, { group })
      const claimed = [...(await one()), ...(await one()), ...(await one())]
      expect(bodiesOf(claimed).toSorted()).toEqual(['g1', 'h1', 'i1'])
      expect(await one(500)).toEqual([])
      const h = claimed.find(({ body }) => body === 'h1')!
      await queue.remove(h.receipt)
      const [next] = await one()
      expect(next).toMatchObject({ body: 'h2', group: h.group })
    })

    it('names the group of a message, and takes names of any length', async () => {
      const groups = ['a tenant/Zürich', 'x'.repeat(200), `${'x'.repeat(199)}y`]
      for (const group of [...groups, ...groups]) await queue.send(group, { group })
      const messages = [...(await one()), ...(await one()), ...(await one())]
      expect(bodiesOf(messages).toSorted()).toEqual(groups.toSorted())
      expect(new Set(messages.map(({ group }) => group)).size).toBe(3)
      expect(await one(500)).toEqual([])
    })

    it('frees a group when a claim lapses, for the same message first', async () => {
      for (const body of ['1', '2']) await queue.send(body, { group: 'g' })
      const [first] = await collect(queue, 1, 1000)
      expect(first).toMatchObject({ body: '1' })
      const [again] = await one(PATIENCE_MS)
      expect(again).toMatchObject({ body: '1', receiveCount: 2 })
      expect(await one(500)).toEqual([])
      await queue.remove(again!.receipt)
      expect(bodiesOf(await one())).toEqual(['2'])
    })

    it('keeps the order when a message is given back', async () => {
      for (const body of ['1', '2']) await queue.send(body, { group: 'g' })
      const [first] = await one()
      await queue.extend(first!.receipt, 0)
      const [again] = await one(PATIENCE_MS)
      expect(again).toMatchObject({ body: '1', receiveCount: 2 })
      await queue.remove(again!.receipt)
      expect(bodiesOf(await one())).toEqual(['2'])
    })

    it('goes on with the group when its first message is dead', async () => {
      for (const body of ['poison', 'good']) await queue.send(body, { group: 'g' })
      for (const receiveCount of [1, 2, 3]) {
        const [message] = await one(PATIENCE_MS)
        expect(message).toMatchObject({ body: 'poison', receiveCount })
        await queue.extend(message!.receipt, 0)
      }
      expect(bodiesOf(await one(PATIENCE_MS))).toEqual(['good'])
      expect(bodiesOf(await collect(deadLetters, 1))).toEqual(['poison'])
    })

    it('takes messages without a group, which wait for nobody', async () => {
      for (const body of ['a', 'b']) await queue.send(body)
      expect(bodiesOf([...(await one()), ...(await one())]).toSorted()).toEqual(['a', 'b'])
    })

    it('drops a message that was sent before by its id, also when it is done, and no other', async () => {
      for (const _ of [1, 2]) await queue.send('x', { group: 'g', dedupe: 'id 1' })
      const [first] = await one()
      expect(first).toMatchObject({ body: 'x' })
      await queue.remove(first!.receipt)
      await queue.send('x', { group: 'g', dedupe: 'id 1' })
      expect(await one(500)).toEqual([])
      await queue.send('x', { group: 'g', dedupe: 'id 2' })
      for (const _ of [1, 2]) await queue.send('x', { group: 'g' })
      for (const _ of ['id 2', 'no id', 'no id']) {
        const [message] = await one()
        expect(message).toMatchObject({ body: 'x', receiveCount: 1 })
        await queue.remove(message!.receipt)
      }
      expect(await one(500)).toEqual([])
    })

    it('never lets two of many who ask at once have messages of one group', async () => {
      const groups = ['a', 'b', 'c', 'd', 'e']
      for (let n = 0; n < 8; n++) {
        for (const group of groups) await queue.send(JSON.stringify({ group, n }), { group })
      }
      const busy = new Set<string>()
      const taken: Record<string, number[]> = Object.fromEntries(groups.map((group) => [group, []]))
      const work = async () => {
        for (;;) {
          const [message] = await one()
          if (!message) return
          const { group, n } = JSON.parse(message.body) as { group: string; n: number }
          expect(busy.has(group)).toBe(false)
          busy.add(group)
          await sleep(10)
          busy.delete(group)
          taken[group]!.push(n)
          await queue.remove(message.receipt)
        }
      }
      await Promise.all(Array.from({ length: 4 }, work))
      const inOrder = Array.from({ length: 8 }, (_, n) => n)
      expect(taken).toEqual(Object.fromEntries(groups.map((group) => [group, inOrder])))
    })
  })
}
