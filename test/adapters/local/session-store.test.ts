import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createSessionStore, type LocalSessionStore } from '../../../lib/adapters/local/session-store.ts'
import { BEGINNING } from '../../../lib/core/live/state.ts'
import type { Session } from '../../../lib/core/session.ts'
import { KEEP_MS, START, sampleChunk, sampleSegment, sampleSession } from '../../contracts/session-store.ts'
import { temporaryDatabase } from './folder.ts'

const TABLES = ['sessions', 'chunks', 'speakers', 'steps', 'segments']

describe('the session store of one machine', () => {
  let folder: ReturnType<typeof temporaryDatabase>
  let sessions: LocalSessionStore
  let now: number
  beforeEach(() => {
    folder = temporaryDatabase()
    now = START
    sessions = createSessionStore(folder.db, { keepMs: KEEP_MS, clock: () => now })
  })
  afterEach(() => folder.dispose())

  const rowsLeft = () =>
    TABLES.map((table) => folder.db.sql.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n)

  /** A session with a record of every kind. */
  async function full(): Promise<Session> {
    const { session } = await sessions.open(sampleSession())
    await sessions.addChunk(session, sampleChunk(0))
    await sessions.addSpeaker(session, { name: 'Zoë', at: START, arrivedAt: START, given: false })
    await sessions.commit(session, { ...BEGINNING, step: 1 }, [sampleSegment(0)])
    return session
  }

  it('leaves no row of a session that is removed', async () => {
    const session = await full()
    expect(rowsLeft()).toEqual([1, 1, 1, 1, 1])
    await sessions.remove(session)
    expect(rowsLeft()).toEqual([0, 0, 0, 0, 0])
  })

  it('removes what has expired and says what it was', async () => {
    const { tenant, sessionId } = await full()
    now += KEEP_MS - 1
    const other = await full()
    expect(await sessions.removeExpired()).toEqual([])
    now += 1
    expect(await sessions.removeExpired()).toEqual([{ tenant, sessionId }])
    expect(rowsLeft()).toEqual([1, 1, 1, 1, 1])
    expect(await sessions.get(other)).toEqual(other)
  })

  it('fails on records that it has not written, without quoting them', async () => {
    const session = await full()
    for (const table of TABLES) folder.db.sql.exec(`UPDATE ${table} SET body = '{"text":"private"}'`)
    const reads = {
      session: () => sessions.get(session),
      chunk: () => sessions.lastChunk(session),
      'speaker event': () => sessions.speakers(session),
      'step of a session': () => sessions.live(session),
      segment: () => sessions.segments(session, { limit: 1 }),
    }
    for (const [name, read] of Object.entries(reads)) {
      await expect(read()).rejects.toMatchObject({
        code: 'internal',
        message: `A stored ${name} cannot be read.`,
      })
    }
  })
})
