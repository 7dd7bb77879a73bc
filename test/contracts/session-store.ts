import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { SessionStore } from '../../lib/core/live/ports.ts'
import type { LiveSegment } from '../../lib/core/live/segment.ts'
import { BEGINNING, type LiveState } from '../../lib/core/live/state.ts'
import type { Chunk, Session, SpeakerEvent } from '../../lib/core/session.ts'

export interface SessionStoreUnderTest {
  /** Keeps a session for KEEP_MS by the clock `time`. */
  readonly sessions: SessionStore
  readonly time: { now: number }
  dispose(): Promise<void>
}

export const START = 1_700_000_000_000
export const KEEP_MS = 60 * 60 * 1000

/** Time for thousands of durable writes on a slow disk. */
const MANY_MS = 300_000

export const sampleSession = (over: Partial<Session> = {}): Session => ({
  tenant: `t-${randomUUID()}`,
  sessionId: 'meet:abc~1.x',
  version: 1,
  state: 'OPEN',
  createdAt: START,
  updatedAt: START,
  prompt: 'Zürich, „Gespräch“ 🎙',
  revision: 1,
  ...over,
})

export const sampleChunk = (seq: number, over: Partial<Chunk> = {}): Chunk => ({
  ...{ seq, post: randomUUID(), sizeBytes: 1000 + seq, contentType: 'audio/webm', arrivedAt: START + seq },
  ...over,
})

const named = (at: number, name: string, arrivedAt = at): SpeakerEvent => ({
  name,
  at,
  arrivedAt,
  given: false,
})

const step = (n: number, over: Partial<LiveState> = {}): LiveState => ({
  ...BEGINNING,
  ...{ step: n, at: START + n, language: { code: 'de', detected: true } },
  ...over,
})

export const sampleSegment = (id: number, over: Partial<LiveSegment> = {}): LiveSegment => ({
  ...{ id, startMs: id * 1000, endMs: id * 1000 + 900, text: 'Grüße 🎙', speaker: 'Zoë' },
  words: [{ text: 'Grüße', startMs: id * 1000, endMs: id * 1000 + 900, probability: 0.9 }],
  ...{ final: true, revision: 1 },
  ...over,
})

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

/** Runs `work` on all, a few at a time. */
async function few<T>(all: readonly T[], work: (each: T) => Promise<unknown>): Promise<void> {
  const rest = [...all]
  const run = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: 20 }, run))
}

/** What every SessionStore must do. Tenants are random, so that the store may be one that others use too. */
export function describeSessionStore(name: string, make: () => Promise<SessionStoreUnderTest>): void {
  describe(`SessionStore: ${name}`, () => {
    let made: SessionStoreUnderTest
    let sessions: SessionStore
    beforeAll(async () => {
      made = await make()
      sessions = made.sessions
    })
    beforeEach(() => {
      made.time.now = START
    })
    afterAll(() => made.dispose())
    /** A session that is open. */
    const opened = async (over: Partial<Session> = {}) => (await sessions.open(sampleSession(over))).session

    describeHeads(() => made, opened)
    describeLists(() => sessions, opened)
    describeChunks(() => sessions, opened)
    describeSpeakers(() => sessions, opened)
    describeSteps(() => sessions, opened)
    describeRemoval(() => made, opened)
  })
}

type Opened = (over?: Partial<Session>) => Promise<Session>

function describeHeads(made: () => SessionStoreUnderTest, opened: Opened): void {
  const sessions = () => made().sessions

  it('gives a session back as it was stored', async () => {
    const session = sampleSession({ language: 'de' })
    expect(await sessions().open(session)).toEqual({ created: true, session })
    expect(await sessions().get(session)).toEqual(session)
  })

  it('does not know a session of another tenant, nor one that never was', async () => {
    const session = await opened()
    expect(await sessions().get(sampleSession())).toBeUndefined()
    expect(await sessions().get({ ...session, sessionId: 'meet:abc~1' })).toBeUndefined()
  })

  it('opens a session once, however often and at once it is asked to', async () => {
    const { tenant } = sampleSession()
    const tries = upTo(8).map((n) => sampleSession({ tenant, createdAt: START + n }))
    const outcomes = await Promise.all(tries.map((session) => sessions().open(session)))
    const [winner, ...more] = outcomes.filter(({ created }) => created)
    expect(more).toEqual([])
    expect(tries).toContainEqual(winner!.session)
    for (const { session } of outcomes) expect(session).toEqual(winner!.session)
    expect((await sessions().list(tenant, { limit: 10 })).sessions).toEqual([winner!.session])
  })

  it('gives a closed session to who opens it again, and leaves it closed', async () => {
    const session = await opened()
    const closed: Session = { ...session, version: 2, state: 'CLOSED', closedBy: 'client' }
    expect(await sessions().replace(closed)).toBe('replaced')
    expect(await sessions().open(session)).toEqual({ created: false, session: closed })
    expect(await sessions().get(session)).toEqual(closed)
  })

  it('lets only one of many who read the same version write the next', async () => {
    const session = await opened()
    const writers = upTo(8).map((n): Session => ({ ...session, version: 2, updatedAt: START + n }))
    const outcomes = await Promise.all(writers.map((next) => sessions().replace(next)))
    expect(outcomes.toSorted()).toEqual([...Array(7).fill('lost'), 'replaced'])
    expect(await sessions().get(session)).toEqual(writers[outcomes.indexOf('replaced')])
  })

  it('lets only one of many close a session', async () => {
    const session = await opened()
    const closed: Session = { ...session, version: 2, state: 'CLOSED' }
    const outcomes = await Promise.all(upTo(4).map(() => sessions().replace(closed)))
    expect(outcomes.toSorted()).toEqual(['lost', 'lost', 'lost', 'replaced'])
    expect(await sessions().replace({ ...closed, version: 3, revision: 2 })).toBe('replaced')
  })

  it('does not bring a session back to life, nor writes over another with its id', async () => {
    const session = await opened()
    expect(await sessions().replace({ ...sampleSession(), version: 2 })).toBe('gone')
    await sessions().remove(session)
    expect(await sessions().replace({ ...session, version: 2 })).toBe('gone')
    const later = await opened({ tenant: session.tenant, createdAt: START + 5 })
    expect(await sessions().replace({ ...session, version: 2 })).toBe('gone')
    expect(await sessions().get(session)).toEqual(later)
  })

  it('forgets a session when its time is up, and takes its id for a new one', async () => {
    const session = await opened()
    await sessions().addChunk(session, sampleChunk(0))
    await sessions().addSpeaker(session, named(START, 'Zoë'))
    await sessions().commit(session, step(1), [sampleSegment(0)])
    made().time.now += KEEP_MS - 1000
    expect(await sessions().get(session)).toEqual(session)
    expect(await sessions().segments(session, { limit: 9 })).toHaveLength(1)
    made().time.now += 1000
    expect(await sessions().get(session)).toBeUndefined()
    expect(await sessions().replace({ ...session, version: 2 })).toBe('gone')
    expect((await sessions().list(session.tenant, { limit: 9 })).sessions).toEqual([])
    expect(await sessions().listOpen()).not.toContainEqual(refOf(session))
    await expectNothing(sessions(), session)
    const next = sampleSession({ tenant: session.tenant, createdAt: made().time.now })
    expect(await sessions().open(next)).toEqual({ created: true, session: next })
    expect((await sessions().list(session.tenant, { limit: 9 })).sessions).toEqual([next])
    await expectNothing(sessions(), session)
    expect(await sessions().addChunk(next, sampleChunk(0))).toBe('added')
  })
}

const refOf = ({ tenant, sessionId }: Session) => ({ tenant, sessionId })

/** There are no records of the session, whether there is a session or not. */
async function expectNothing(sessions: SessionStore, session: Session): Promise<void> {
  expect(await sessions.chunks(session, { from: 0, limit: 9 })).toEqual([])
  expect(await sessions.lastChunk(session)).toBeUndefined()
  expect(await sessions.speakers(session)).toEqual([])
  expect(await sessions.live(session)).toBeUndefined()
  expect(await sessions.segments(session, { limit: 9 })).toEqual([])
}

function describeLists(sessions: () => SessionStore, opened: Opened): void {
  it('lists a tenant’s own sessions page by page, newest first, each once', async () => {
    const { tenant } = sampleSession()
    // Pairs with the same time, so that pages end between sessions that only their ids tell apart.
    const made: Session[] = []
    for (const n of upTo(7)) {
      made.push(await opened({ tenant, sessionId: `s${(n * 3) % 7}`, createdAt: 1000 + (n >> 1) }))
    }
    await opened()
    const expected = made.toSorted(
      (a, b) => b.createdAt - a.createdAt || (a.sessionId < b.sessionId ? 1 : -1),
    )
    const pages: Session[][] = []
    let cursor: string | undefined
    do {
      const page = await sessions().list(tenant, { limit: 3, ...(cursor !== undefined && { cursor }) })
      pages.push(page.sessions)
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(pages).toEqual([expected.slice(0, 3), expected.slice(3, 6), expected.slice(6)])
  })

  it('refuses a cursor of another tenant and one that is broken', async () => {
    const { tenant } = sampleSession()
    for (const n of [1, 2]) await opened({ tenant, sessionId: `s${n}`, createdAt: n })
    const { cursor } = await sessions().list(tenant, { limit: 1 })
    const other = sampleSession().tenant
    await expect(sessions().list(other, { limit: 1, cursor: cursor! })).rejects.toMatchObject({
      code: 'bad-request',
    })
    for (const broken of ['', 'x', 'bnVsbA', cursor!.slice(0, -4), '🎙']) {
      await expect(sessions().list(tenant, { limit: 1, cursor: broken })).rejects.toMatchObject({
        code: 'bad-request',
      })
    }
  })

  it('knows which sessions of all tenants are not closed', async () => {
    const open = await opened({ sessionId: 'A' })
    const closing = await opened({ sessionId: 'b.c' })
    const closed = await opened({ sessionId: 'd' })
    const removed = await opened({ sessionId: 'e' })
    await sessions().replace({ ...closing, version: 2, state: 'CLOSING' })
    await sessions().replace({ ...closed, version: 2, state: 'CLOSED' })
    await sessions().remove(removed)
    const found = await sessions().listOpen()
    expect(found).toEqual(expect.arrayContaining([refOf(open), refOf(closing)]))
    expect(found).not.toContainEqual(refOf(closed))
    expect(found).not.toContainEqual(refOf(removed))
  })
}

function describeChunks(sessions: () => SessionStore, opened: Opened): void {
  it('stores a chunk once, and another post of the same number changes nothing', async () => {
    const session = await opened()
    const chunk = sampleChunk(3)
    expect(await sessions().addChunk(session, chunk)).toBe('added')
    expect(await sessions().addChunk(session, sampleChunk(3, { sizeBytes: 7 }))).toBe('repeated')
    expect(await sessions().chunks(session, { from: 0, limit: 9 })).toEqual([chunk])
  })

  it('says that a chunk is stored to who asks again for the same post', async () => {
    const session = await opened()
    const chunk = sampleChunk(3)
    for (const _ of [1, 2]) expect(await sessions().addChunk(session, chunk)).toBe('added')
    expect(await sessions().chunks(session, { from: 0, limit: 9 })).toEqual([chunk])
  })

  it('takes one of many posts of a number that come at once', async () => {
    const session = await opened()
    const posts = upTo(8).map((n) => sampleChunk(0, { sizeBytes: n }))
    const outcomes = await Promise.all(posts.map((chunk) => sessions().addChunk(session, chunk)))
    expect(outcomes.toSorted()).toEqual(['added', ...Array(7).fill('repeated')])
    expect(await sessions().lastChunk(session)).toEqual(posts[outcomes.indexOf('added')])
  })

  it('takes no chunk of a session that is not there', async () => {
    const session = sampleSession()
    await expect(sessions().addChunk(session, sampleChunk(0))).rejects.toMatchObject({
      code: 'unknown-session',
    })
    await opened({ tenant: session.tenant })
    await expectNothing(sessions(), session)
  })

  it('keeps the chunks of two sessions apart', async () => {
    const one = await opened({ sessionId: 'one' })
    const two = await opened({ tenant: one.tenant, sessionId: 'one.1' })
    const chunk = sampleChunk(0)
    await sessions().addChunk(one, chunk)
    expect(await sessions().addChunk(two, sampleChunk(0))).toBe('added')
    expect(await sessions().chunks(one, { from: 0, limit: 9 })).toEqual([chunk])
  })

  it(
    'gives 3,000 chunks with gaps in order of their numbers, from anywhere on',
    async () => {
      const session = await opened()
      // Long enough for more than one reply of DynamoDB, which ends at 1 MB.
      const contentType = `audio/webm;codecs="${'x'.repeat(400)}"`
      const chunks = upTo(3000).map((n) => sampleChunk(n + (n >= 1500 ? 20_000 : 0), { contentType }))
      await few(
        chunks.toSorted((a, b) => (a.seq % 7) - (b.seq % 7)),
        (chunk) => sessions().addChunk(session, chunk),
      )
      expect(await sessions().chunks(session, { from: 0, limit: 5000 })).toEqual(chunks)
      expect(await sessions().chunks(session, { from: 1499, limit: 2 })).toEqual(chunks.slice(1499, 1501))
      expect(await sessions().chunks(session, { from: 30_000, limit: 2 })).toEqual([])
      expect(await sessions().lastChunk(session)).toEqual(chunks.at(-1))
    },
    MANY_MS,
  )
}

function describeSpeakers(sessions: () => SessionStore, opened: Opened): void {
  it('gives all names in order of their time, those of one moment as they arrived', async () => {
    const session = await opened()
    const events = [
      ...[named(0, 'at the beginning'), named(999, 'Zoë'), named(1000, 'early', 5), named(1000, 'late', 6)],
      ...[named(1000, 'later', 6), named(10_000, ''), named(START, 'Zoë')],
    ]
    for (const n of [6, 3, 4, 0, 2, 5, 1]) await sessions().addSpeaker(session, events[n]!)
    expect(await sessions().speakers(session)).toEqual(events)
  })

  it('gives what is needed to know who speaks from a moment on', async () => {
    const session = await opened()
    const events = [10, 20, 30, 40].map((at) => named(at, `n${at}`))
    for (const event of events) await sessions().addSpeaker(session, event)
    expect(await sessions().speakers(session, { from: 25 })).toEqual(events.slice(1))
    expect(await sessions().speakers(session, { from: 20 })).toEqual(events)
    expect(await sessions().speakers(session, { from: 10 })).toEqual(events)
    expect(await sessions().speakers(session, { from: 100 })).toEqual(events.slice(3))
    expect(await sessions().speakers(session, { from: 0 })).toEqual(events)
  })

  it('keeps the same name as often as it came, and takes none for a session that is not there', async () => {
    const session = await opened()
    for (const _ of [1, 2]) await sessions().addSpeaker(session, named(7, 'Zoë'))
    expect(await sessions().speakers(session)).toEqual([named(7, 'Zoë'), named(7, 'Zoë')])
    await expect(sessions().addSpeaker(sampleSession(), named(7, 'Zoë'))).rejects.toMatchObject({
      code: 'unknown-session',
    })
  })
}

function describeSteps(sessions: () => SessionStore, opened: Opened): void {
  it('writes step after step, each with its segments', async () => {
    const session = await opened()
    expect(await sessions().live(session)).toBeUndefined()
    expect(await sessions().commit(session, step(1), [sampleSegment(0), sampleSegment(1)])).toBe('written')
    expect(await sessions().commit(session, step(2), [])).toBe('written')
    expect(await sessions().live(session)).toEqual(step(2))
    expect(await sessions().segments(session, { limit: 9 })).toEqual([sampleSegment(0), sampleSegment(1)])
  })

  it('lets only one of many who took the same step write it, and only its segments', async () => {
    const session = await opened()
    for (const n of [1, 2]) {
      const made = upTo(6).map((by) => ({ state: step(n, { change: by }), text: `by ${by}` }))
      const outcomes = await Promise.all(
        made.map(({ state, text }) => sessions().commit(session, state, [sampleSegment(n, { text })])),
      )
      expect(outcomes.toSorted()).toEqual([...Array(5).fill('lost'), 'written'])
      const winner = made[outcomes.indexOf('written')]!
      expect(await sessions().live(session)).toEqual(winner.state)
      expect(await sessions().segments(session, { after: n - 1, limit: 9 })).toMatchObject([
        { text: winner.text },
      ])
    }
  })

  it('writes nothing of a step that was lost, nor of one that leaves steps out', async () => {
    const session = await opened()
    await sessions().commit(session, step(1), [sampleSegment(0)])
    for (const n of [0, 1, 3]) {
      expect(
        await sessions().commit(session, step(n), [sampleSegment(0, { text: 'x' }), sampleSegment(1)]),
      ).toBe('lost')
      expect(await sessions().commit(session, step(n), [])).toBe('lost')
    }
    expect(await sessions().live(session)).toEqual(step(1))
    expect(await sessions().segments(session, { limit: 9 })).toEqual([sampleSegment(0)])
  })

  it('writes no step of a session that is not there', async () => {
    const session = sampleSession()
    expect(await sessions().commit(session, step(1), [sampleSegment(0)])).toBe('gone')
    expect(await sessions().commit(session, step(1), [])).toBe('gone')
    await opened({ tenant: session.tenant })
    await expectNothing(sessions(), session)
  })

  it('replaces a segment that is revised', async () => {
    const session = await opened()
    await sessions().commit(session, step(1), [sampleSegment(0), sampleSegment(1)])
    const revised = sampleSegment(0, { speaker: 'Ada', revision: 2 })
    await sessions().commit(session, step(2), [revised, sampleSegment(2)])
    expect(await sessions().segments(session, { limit: 9 })).toEqual([
      ...[revised, sampleSegment(1), sampleSegment(2)],
    ])
  })

  it('takes steps of clients and of workers side by side', async () => {
    const session = await opened()
    const head = sessions().replace({ ...session, version: 2, state: 'CLOSING' })
    const chunks = upTo(10).map((seq) => sessions().addChunk(session, sampleChunk(seq)))
    const commit = sessions().commit(session, step(1), [sampleSegment(0)])
    expect(await Promise.all([head, commit, ...chunks])).toEqual([
      ...['replaced', 'written'],
      ...Array(10).fill('added'),
    ])
  })

  it(
    'gives 2,000 segments page by page, written in steps as large as there may be',
    async () => {
      const session = await opened()
      const words = Array.from({ length: 8 }, () => sampleSegment(0).words[0]!)
      const all = upTo(2000).map((id) => sampleSegment(id, { words }))
      for (let n = 0; n * 90 < all.length; n++) {
        expect(await sessions().commit(session, step(n + 1), all.slice(n * 90, n * 90 + 90))).toBe('written')
      }
      const read: LiveSegment[] = []
      for (;;) {
        const after = read.at(-1)?.id
        const page = await sessions().segments(session, { limit: 300, ...(after !== undefined && { after }) })
        if (page.length === 0) break
        read.push(...page)
      }
      expect(read).toEqual(all)
      expect(await sessions().segments(session, { limit: 5000 })).toEqual(all)
      await expect(sessions().commit(session, step(99), all.slice(0, 91))).rejects.toMatchObject({
        code: 'internal',
      })
    },
    MANY_MS,
  )
}

function describeRemoval(made: () => SessionStoreUnderTest, opened: Opened): void {
  const sessions = () => made().sessions

  it('removes a session with all its records, and nothing of others', async () => {
    const session = await opened()
    const other = await opened({ tenant: session.tenant, sessionId: 'meet:abc~1' })
    for (const each of [session, other]) {
      await few(upTo(60), (seq) => sessions().addChunk(each, sampleChunk(seq)))
      await sessions().addSpeaker(each, named(7, 'Zoë'))
      await sessions().commit(each, step(1), [sampleSegment(0)])
    }
    expect(await sessions().remove(session)).toBe(true)
    expect(await sessions().get(session)).toBeUndefined()
    await expectNothing(sessions(), session)
    await opened({ tenant: session.tenant })
    await expectNothing(sessions(), session)
    expect(await sessions().get(other)).toEqual(other)
    expect(await sessions().chunks(other, { from: 0, limit: 99 })).toHaveLength(60)
    expect(await sessions().segments(other, { limit: 9 })).toHaveLength(1)
  })

  it('removes a session once, and none that never was', async () => {
    const session = await opened()
    const outcomes = await Promise.all(upTo(4).map(() => sessions().remove(session)))
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect(await sessions().remove(session)).toBe(false)
    expect(await sessions().remove(sampleSession())).toBe(false)
  })

  it('leaves nothing where a worker and a client write while it removes', async () => {
    const session = await opened()
    const writing = [
      ...upTo(20).map((seq) => sessions().addChunk(session, sampleChunk(seq))),
      sessions().commit(
        session,
        step(1),
        upTo(80).map((id) => sampleSegment(id)),
      ),
    ]
    const [removed] = await Promise.all([sessions().remove(session), Promise.allSettled(writing)])
    expect(removed).toBe(true)
    expect(await sessions().commit(session, step(2), [sampleSegment(1)])).toBe('gone')
    await opened({ tenant: session.tenant })
    await expectNothing(sessions(), session)
  })
}
