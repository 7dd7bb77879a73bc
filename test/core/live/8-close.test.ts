import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { LIVE_DEFAULTS } from '../../../lib/core/live/settings.ts'
import { BEGINNING } from '../../../lib/core/live/state.ts'
import { createLane, type Lane } from '../../support/live-lane.ts'
import { createScriptedEngine } from '../../support/scripted-engine.ts'

let lane: Lane

beforeEach(async () => {
  lane = await createLane({ engine: createScriptedEngine() })
})
afterEach(() => lane.dispose())

const { idleMs, maxDurationMs, missingMs } = LIVE_DEFAULTS
const chunk = new Uint8Array(0)
const waiting = () => lane.base.pending('live').length
const closed = async () => (await lane.session())?.closedBy

describe('a session', () => {
  it('whose client sends nothing is closed after a while, and no sooner', async () => {
    await lane.post(chunk, 0)
    lane.at(idleMs - 1)
    await lane.tick()
    expect(await closed()).toBeUndefined()
    lane.at(idleMs)
    await lane.tick()
    expect(await closed()).toBe('idle')
  })

  it('stays open while names come, though nobody speaks', async () => {
    await lane.post(chunk, 0)
    for (let ms = 0; ms < 3 * idleMs; ms += idleMs / 2) {
      lane.at(ms)
      await lane.name('')
      await lane.tick()
    }
    expect(await closed()).toBeUndefined()
    lane.at(4 * idleMs)
    await lane.tick()
    expect(await closed()).toBe('idle')
  })

  it('is closed when it has lasted too long', async () => {
    await lane.post(chunk, 0)
    lane.at(maxDurationMs - 1)
    await lane.name('Ann')
    await lane.tick()
    expect(await closed()).toBeUndefined()
    lane.at(maxDurationMs)
    await lane.tick()
    expect(await closed()).toBe('limit')
  })

  it('that has nothing to do is left alone', async () => {
    await lane.post(chunk, 0)
    await lane.run()
    for (let ms = 0; ms < idleMs; ms += 2_000) {
      lane.at(ms)
      await lane.tick()
    }
    expect(waiting()).toBe(0)
  })

  it('that waits for a missing chunk is woken, so that it is given up in time', async () => {
    await lane.post(chunk, 0)
    await lane.post(chunk, 2)
    await lane.run()
    expect((await lane.state())?.ingest.nextSeq).toBe(1)
    lane.at(missingMs)
    await lane.tick()
    await lane.run()
    expect((await lane.state())?.ingest).toMatchObject({ nextSeq: 3, missing: 1 })
  })

  it('whose message was lost is woken', async () => {
    await lane.post(chunk, 0)
    lane.base.db.sql.exec('DELETE FROM messages')
    lane.at(2_001)
    await lane.tick()
    await lane.run()
    expect((await lane.state())?.ingest.nextSeq).toBe(1)
  })

  it('one of whose sinks is behind is woken', async () => {
    await lane.dispose()
    lane = await createLane({
      engine: createScriptedEngine(),
      sinks: [{ name: 'down', publish: () => Promise.reject(new Error('down')) }],
    })
    await lane.post(chunk, 0)
    await lane.run()
    await lane.tick()
    expect(waiting()).toBe(0)
    const live = (await lane.state()) ?? BEGINNING
    await lane.ports.sessions.commit(lane.ref, { ...live, step: live.step + 1, nextSegment: 1 }, [])
    await lane.tick()
    expect(waiting()).toBe(1)
  })
})
