import { ScanCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createSessionStore } from '../../lib/adapters/aws/session-store.ts'
import { BEGINNING } from '../../lib/core/live/state.ts'
import { sampleChunk, sampleSegment, sampleSession } from '../contracts/session-store.ts'
import { stammering } from './stammering.ts'
import { temporaryTable } from './support.ts'

describe('the session store of AWS', () => {
  let made: Awaited<ReturnType<typeof temporaryTable>>
  beforeAll(async () => {
    made = await temporaryTable()
  })
  afterAll(() => made.dispose())

  async function items() {
    const { Items = [] } = await made.db.send(
      new ScanCommand({ TableName: made.table, ConsistentRead: true }),
    )
    return Items
  }

  it('takes its own writes for its own when they arrive twice', async () => {
    const sessions = createSessionStore(stammering(), made.table, { keepMs: 3_600_000 })
    const session = sampleSession()
    expect(await sessions.open(session)).toEqual({ created: true, session })
    expect(await sessions.addChunk(session, sampleChunk(0))).toBe('added')
    expect(await sessions.commit(session, { ...BEGINNING, step: 1 }, [sampleSegment(0)])).toBe('written')
    expect(await sessions.commit(session, { ...BEGINNING, step: 2 }, [])).toBe('written')
    await sessions.addSpeaker(session, { name: 'Zoë', at: 1, arrivedAt: 1, given: true })
    expect(await sessions.speakers(session)).toHaveLength(1)
    expect(await sessions.replace({ ...session, version: 2, state: 'CLOSING' })).toBe('replaced')
    expect(await sessions.replace({ ...session, version: 3, state: 'CLOSED' })).toBe('replaced')
  })

  it('leaves nothing of a session that is removed, and gives everything else a time to go', async () => {
    const keepMs = 3_600_000
    const sessions = createSessionStore(made.db, made.table, { keepMs })
    const session = sampleSession()
    const before = (await items()).length
    await sessions.open(session)
    for (let seq = 0; seq < 60; seq++) await sessions.addChunk(session, sampleChunk(seq))
    await sessions.addSpeaker(session, { name: 'Zoë', at: 1, arrivedAt: 1, given: true })
    await sessions.commit(session, { ...BEGINNING, step: 1 }, [sampleSegment(0)])
    await sessions.replace({ ...session, version: 2, state: 'CLOSING' })
    const written = await items()
    expect(written).toHaveLength(before + 66)
    const latest = Math.floor((Date.now() + keepMs) / 1000)
    for (const { ttl } of written) {
      expect(ttl).toBeGreaterThan(latest - 600)
      expect(ttl).toBeLessThanOrEqual(latest)
    }
    expect(await sessions.remove(session)).toBe(true)
    expect(await items()).toHaveLength(before)
  })
})
