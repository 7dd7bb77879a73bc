import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { openDatabase } from '../../../lib/adapters/local/database.ts'
import { createSessionStore } from '../../../lib/adapters/local/session-store.ts'
import { follow, hasAll, type LiveEvent } from '../../../lib/core/live/11-follow.ts'
import type { LiveSegment } from '../../../lib/core/live/segment.ts'
import { BEGINNING, type LiveState } from '../../../lib/core/live/state.ts'
import { sampleFinal, sampleSession } from '../../support/live-segments.ts'
import { cleanUp, tempFolder } from '../../support/service.ts'

afterAll(cleanUp)

let now = 0
let ports: { sessions: ReturnType<typeof createSessionStore>; clock: () => number }
let live: LiveState
const session = sampleSession()

beforeEach(async () => {
  now = session.createdAt
  const clock = () => now
  ports = { clock, sessions: createSessionStore(openDatabase(await tempFolder()), { keepMs: 1e9, clock }) }
  await ports.sessions.open(session)
  live = BEGINNING
})

/** A step: these finals are new or revised. */
async function commit(finals: LiveSegment[], drafts: LiveSegment[] = []): Promise<void> {
  const revised = finals.some(({ revision }) => revision > 1) ? 1 : 0
  live = {
    ...{ ...live, drafts, step: live.step + 1, change: live.change + 1 },
    revisions: live.revisions + revised,
  }
  expect(await ports.sessions.commit(session, live, finals)).toBe('written')
}

const close = () => ports.sessions.replace({ ...session, state: 'CLOSED', version: 2, revision: 2 })

/** All events until the follower would wait; `then` is what happens while it waits, one by one. */
async function events(lastId?: string, ...then: Array<() => unknown>): Promise<LiveEvent[]> {
  const found: LiveEvent[] = []
  const pause = async () => {
    const next = then.shift()
    await next?.()
    return next !== undefined
  }
  for await (const event of follow(ports, session, { lastId, pause, pollMs: 1 })) found.push(event)
  return found
}

const brief = (all: LiveEvent[]) =>
  all.flatMap((it) => {
    if (it.event === 'segment') return [`${it.data.id}/${it.data.revision}`]
    return it.event === 'session' ? [it.data.state] : []
  })
const idOf = (it: LiveEvent | undefined) => (it && 'id' in it ? it.id : undefined)
const drafts = (all: LiveEvent[]) =>
  all.flatMap((it) => (it.event === 'drafts' ? [it.data.map(({ id }) => id)] : []))

describe('who follows', () => {
  it('is told of finals, of drafts in place of those before, and of the end', async () => {
    const told = await events(
      undefined,
      () => commit([], [sampleFinal(0, { final: false })]),
      () => commit([sampleFinal(0)], [sampleFinal(1, { final: false })]),
      () => commit([sampleFinal(1)]),
      close,
    )
    expect(brief(told)).toEqual(['OPEN', '0/1', '1/1', 'CLOSED'])
    expect(drafts(told)).toEqual([[], [0], [1], []])
  })

  it('gets a revised final once more, and no other', async () => {
    await commit([sampleFinal(0), sampleFinal(1)])
    const told = await events(undefined, () => commit([sampleFinal(0, { revision: 2 }), sampleFinal(2)]))
    expect(brief(told)).toEqual(['0/1', '1/1', 'OPEN', '0/2', '2/1'])
  })

  it('that comes again gets what came after the last event', async () => {
    await commit([sampleFinal(0), sampleFinal(1)])
    const [first] = await events()
    expect(brief(await events(idOf(first)))).toEqual(['1/1', 'OPEN'])
    const before = await events()
    expect(brief(await events(idOf(before.at(-1))))).toEqual(['OPEN'])
  })

  it('that breaks off amid revised finals gets all of them after all', async () => {
    await commit([sampleFinal(0), sampleFinal(1), sampleFinal(2)])
    const lastId = idOf((await events()).at(-1))
    await commit([0, 1, 2].map((id) => sampleFinal(id, { revision: 2 })))
    const [first] = await events(lastId)
    expect(brief([first!])).toEqual(['0/2'])
    expect(brief(await events(idOf(first)))).toEqual(['0/2', '1/2', '2/2', 'OPEN'])
  })

  it('needs not come again once it has all of a closed session, but no sooner', async () => {
    await commit([sampleFinal(0)])
    await close()
    const closed = (await ports.sessions.get(session))!
    const told = await events()
    expect(told.map((it) => hasAll(closed, idOf(it)))).toEqual([...told.slice(1).map(() => false), true])
    expect(hasAll(closed, undefined)).toBe(false)
    expect(hasAll(session, idOf(told.at(-1)))).toBe(false)
  })

  it('has no place in a later session of the same name', async () => {
    await commit([sampleFinal(0), sampleFinal(1)])
    const lastId = idOf((await events()).at(-1))
    await ports.sessions.remove(session)
    const next = { ...session, createdAt: session.createdAt + 1 }
    await ports.sessions.open(next)
    live = BEGINNING
    await commit([sampleFinal(0)])
    expect(brief(await events(lastId))).toEqual(['0/1', 'OPEN'])
  })

  it.each(['', 'x', '1.2', '1.2.3.4', 'mi7.0.999999999999', '../..'])(
    'from %j begins at the beginning',
    async (id) => {
      await commit([sampleFinal(0)])
      expect(brief(await events(id))).toEqual(['0/1', 'OPEN'])
    },
  )

  it('hears that the session is gone when it is erased', async () => {
    await expect(events(undefined, async () => ports.sessions.remove(session))).rejects.toMatchObject({
      code: 'unknown-session',
    })
  })

  it('ends with the session, also when another one of its name begins at once', async () => {
    const told = await events(
      undefined,
      async () => {
        await ports.sessions.remove(session)
        await ports.sessions.open({ ...session, createdAt: session.createdAt + 1 })
      },
      async () => {},
    )
    expect(brief(told)).toEqual(['OPEN'])
  })

  it('gets a sign of life when nothing is said for long', async () => {
    const told = await events(undefined, () => {
      now += 15_000
    })
    expect(told.at(-1)).toEqual({ event: 'ping' })
  })
})
