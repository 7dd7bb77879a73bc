import { createServer, type Server } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createRedisSink, type RedisSink } from '../../../lib/adapters/sinks/redis.ts'
import { publishedSegment } from '../../../lib/core/live/published.ts'
import type { LiveSegment } from '../../../lib/core/live/segment.ts'
import type { Session } from '../../../lib/core/session.ts'
import {
  SESSION_AT,
  sampleFinal,
  sampleFinals,
  sampleSession,
  storedFinals,
} from '../../support/live-segments.ts'
import { redisServer, startRedis, type TestRedis } from '../../support/redis.ts'

const describeRedis = redisServer ? describe : describe.skip
if (!redisServer)
  process.stdout.write('Not run: the Redis sink; there is no server (apt-get install redis-server)\n')

const TTL_MS = 60_000
const KEY = 'segments_transcribe:meeting-1'

let server: TestRedis
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server?.dispose())

/** What the session store holds. */
let stored: LiveSegment[]
let sinks: RedisSink[]
beforeEach(async () => {
  stored = []
  sinks = []
  await server.ask((client) => client.flushAll())
})
afterEach(() => {
  for (const sink of sinks) sink.close()
})

function newSink(over: Partial<Parameters<typeof createRedisSink>[0]> = {}): RedisSink {
  const sink = createRedisSink({
    ...{ url: server.url, ttlMs: TTL_MS, sessions: storedFinals(() => stored) },
    ...over,
  })
  sinks.push(sink)
  return sink
}

const session = sampleSession()
const expected = (finals: readonly LiveSegment[], of: Session = session) =>
  finals.map((final) => publishedSegment(of, final, SESSION_AT))
const listAt = async (key: string): Promise<unknown[]> =>
  (await server.ask((client) => client.lRange(key, 0, -1))).map((text) => JSON.parse(text))

describeRedis('the Redis sink', () => {
  it('writes each final as JSON in the shape that clients know', async () => {
    await newSink().publish(session, [sampleFinal(0)], SESSION_AT)
    expect(await listAt(KEY)).toEqual([
      {
        content: 'Grüße „0“',
        start_timestamp: '2026-11-20T09:30:00.000Z',
        end_timestamp: '2026-11-20T09:30:01.250Z',
        speaker: 'Zoë',
        words: [
          { word: 'Grüße', start: 0.25, end: 0.75, probability: 0.9 },
          { word: '„0“', start: 0.75, end: 1.25, probability: 0.9 },
        ],
        ...{ session_id: 'meeting-1', segment_id: 0, revision: 1 },
      },
    ])
  })

  it('says null where nobody knows who spoke', async () => {
    const { speaker: _, ...unnamed } = sampleFinal(0)
    await newSink().publish(session, [unnamed], SESSION_AT)
    expect(await listAt(KEY)).toEqual([expect.objectContaining({ speaker: null })])
  })

  it('keeps every final once and in order, however often it is published', async () => {
    const sink = newSink()
    stored = sampleFinals(5)
    await sink.publish(session, stored.slice(0, 2), SESSION_AT)
    await sink.publish(session, stored.slice(0, 4), SESSION_AT)
    await sink.publish(session, stored.slice(1, 3), SESSION_AT)
    await sink.publish(session, stored.slice(4), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected(stored))
  })

  it('doubles nothing when several workers push at once', async () => {
    stored = sampleFinals(120)
    const workers = Array.from({ length: 6 }, () => newSink())
    await Promise.all(
      workers.map(async (sink, n) => {
        for (let from = 0; from < stored.length; from += 10 + n) {
          await sink.publish(session, stored.slice(from, from + 10 + n), SESSION_AT)
        }
      }),
    )
    expect(await listAt(KEY)).toEqual(expected(stored))
  })

  it('writes everything again, from the beginning, when Redis was restarted empty', async () => {
    const sink = newSink()
    stored = sampleFinals(450)
    await sink.publish(session, stored.slice(0, 400), SESSION_AT)
    await server.kill()
    await server.start()
    expect(await listAt(KEY)).toEqual([])
    await sink.publish(session, stored.slice(400), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected(stored))
  })

  it('writes everything again when the list has expired', async () => {
    stored = sampleFinals(3)
    await newSink({ ttlMs: 1 }).publish(session, stored.slice(0, 2), SESSION_AT)
    while ((await listAt(KEY)).length > 0);
    await newSink().publish(session, stored.slice(2), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected(stored))
  })

  it('renews the time to live with every publication, even of what is there', async () => {
    const sink = newSink()
    await sink.publish(session, sampleFinals(1), SESSION_AT)
    await server.ask((client) => client.pExpire(KEY, 5000))
    await sink.publish(session, sampleFinals(1), SESSION_AT)
    expect(await server.ask((client) => client.pTTL(KEY))).toBeGreaterThan(5000)
    expect(await server.ask((client) => client.pTTL(KEY))).toBeLessThanOrEqual(TTL_MS)
  })

  it('leaves no key without a time to live', async () => {
    await newSink().publish(session, sampleFinals(2), SESSION_AT)
    const keys = await server.ask((client) => client.keys('*'))
    for (const key of keys) expect(await server.ask((client) => client.pTTL(key))).toBeGreaterThan(0)
    expect(keys.filter((key) => key.startsWith('segments_transcribe:'))).toEqual([KEY])
  })

  it('replaces a final in its place by a newer revision, never by an older one', async () => {
    const sink = newSink()
    const revised = sampleFinal(1, { speaker: 'Jürgen', revision: 2 })
    await sink.publish(session, sampleFinals(3), SESSION_AT)
    await sink.publish(session, [revised], SESSION_AT)
    await sink.publish(session, sampleFinals(3), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected([sampleFinal(0), revised, sampleFinal(2)]))
  })

  it('begins anew for a later session of the same name, and lets the earlier one write no more', async () => {
    const sink = newSink()
    const later = sampleSession({ createdAt: SESSION_AT + 1 })
    await sink.publish(session, sampleFinals(4), SESSION_AT)
    await sink.publish(later, [sampleFinal(0, { text: 'new' })], SESSION_AT)
    await sink.publish(session, sampleFinals(6), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected([sampleFinal(0, { text: 'new' })]))
  })

  it('keeps two tenants apart whose sessions have one name', async () => {
    const sink = newSink({ prefix: 'stage:' })
    const other = sampleSession({ tenant: 'acme' })
    await sink.publish(session, sampleFinals(1), SESSION_AT)
    await sink.publish(other, sampleFinals(2), SESSION_AT)
    // A session id that looks like the other tenant's key is not.
    await sink.publish(sampleSession({ sessionId: 'acme:meeting-1' }), sampleFinals(3), SESSION_AT)
    expect(await listAt(`stage:${KEY}`)).toEqual(expected(sampleFinals(1)))
    expect(await listAt('stage:segments_transcribe:acme/meeting-1')).toEqual(expected(sampleFinals(2), other))
    expect(await listAt('stage:segments_transcribe:acme:meeting-1')).toHaveLength(3)
  })

  it('forgets a session that is erased', async () => {
    const sink = newSink()
    await sink.publish(session, sampleFinals(2), SESSION_AT)
    await sink.remove(session)
    expect(await server.ask((client) => client.keys('*'))).toEqual([])
  })
})

describeRedis('the Redis sink, when Redis is not well', () => {
  afterEach(async () => {
    await server.kill()
    await server.start()
  })

  it('fails as unavailable while Redis is down, and goes on when it is back', async () => {
    const sink = newSink()
    stored = sampleFinals(4)
    await sink.publish(session, stored.slice(0, 2), SESSION_AT)
    await server.kill()
    for (let tries = 0; tries < 3; tries++) {
      await expect(sink.publish(session, stored.slice(2), SESSION_AT)).rejects.toMatchObject({
        code: 'unavailable',
      })
    }
    await server.start()
    await sink.publish(session, stored.slice(2), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected(stored))
  })

  it('ends up with every final once although Redis dies again and again under the writers', async () => {
    stored = sampleFinals(60)
    const push = async (sink: RedisSink) => {
      for (let from = 0; from < stored.length; ) {
        try {
          await sink.publish(session, stored.slice(from, from + 5), SESSION_AT)
          from += 5
        } catch (error) {
          expect(error).toMatchObject({ code: 'unavailable' })
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const crash = async () => {
      for (let times = 0; times < 4; times++) {
        await new Promise((resolve) => setTimeout(resolve, 40))
        await server.kill()
        await server.start()
      }
    }
    await Promise.all([push(newSink()), push(newSink()), crash()])
    // The last crash may have come after the last push; the next publication mends that.
    await newSink().publish(session, stored.slice(-1), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected(stored))
  })

  it('does not wait for a Redis that has stopped to answer', async () => {
    const sink = newSink({ commandMs: 100 })
    await sink.publish(session, sampleFinals(1), SESSION_AT)
    process.kill(server.pid(), 'SIGSTOP')
    await expect(sink.publish(session, sampleFinals(2), SESSION_AT)).rejects.toMatchObject({
      code: 'unavailable',
    })
    process.kill(server.pid(), 'SIGCONT')
    await sink.publish(session, sampleFinals(2), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected(sampleFinals(2)))
  })

  it('does not wait for a server that takes connections and says nothing', async () => {
    const silent = await silentServer()
    try {
      const sink = newSink({ url: `redis://127.0.0.1:${silent.port}`, connectMs: 100, commandMs: 100 })
      await expect(sink.publish(session, sampleFinals(1), SESSION_AT)).rejects.toMatchObject({
        code: 'unavailable',
      })
    } finally {
      silent.server.close()
    }
  })

  it('comes through a connection that has died unnoticed', async () => {
    const sink = newSink()
    await sink.publish(session, sampleFinals(1), SESSION_AT)
    await server.ask((client) => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']))
    await sink.publish(session, sampleFinals(2), SESSION_AT)
    expect(await listAt(KEY)).toEqual(expected(sampleFinals(2)))
  })

  it('shows neither words nor the password when something else lies under its key', async () => {
    const locked = await startRedis({ password: 'geheim-im-wort' })
    try {
      const sink = newSink({ url: locked.url })
      await locked.ask((client) => client.set('{segments_transcribe:meeting-1}:session', String(SESSION_AT)))
      await locked.ask((client) => client.set(KEY, 'text'))
      const error = await sink.publish(session, sampleFinals(1), SESSION_AT).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'unavailable' })
      expect(error.cause).toBeUndefined()
      expect(`${error.message} ${error.stack}`).not.toMatch(/geheim|Grüße|Zoë/)
    } finally {
      await locked.dispose()
    }
  })

  it('refuses a wrong password as unavailable', async () => {
    const locked = await startRedis({ password: 'right' })
    try {
      const sink = newSink({ url: locked.url.replace('right', 'wrong') })
      await expect(sink.publish(session, sampleFinals(1), SESSION_AT)).rejects.toMatchObject({
        code: 'unavailable',
      })
      await newSink({ url: locked.url }).publish(session, sampleFinals(1), SESSION_AT)
    } finally {
      await locked.dispose()
    }
  })

  it('speaks TLS where the address asks for it, and nothing else', async () => {
    const sink = newSink({ url: server.url.replace('redis:', 'rediss:') })
    await expect(sink.publish(session, sampleFinals(1), SESSION_AT)).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(await listAt(KEY)).toEqual([])
  })

  it.each(['http://127.0.0.1', 'not a url:geheim', ''])(
    'refuses the address %j without repeating it',
    (url) => {
      expect(() => newSink({ url })).toThrow(
        /^The address of Redis is not a redis:\/\/ or rediss:\/\/ URL\.$/,
      )
    },
  )
})

async function silentServer(): Promise<{ server: Server; port: number }> {
  const silent = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  return { server: silent, port: (silent.address() as { port: number }).port }
}
