import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { liveHandler } from '../../lambdas/events/live.ts'
import { liveDeadLetterHandler } from '../../lambdas/events/live-dead-letter.ts'
import { chunkKey } from '../../lib/core/keys.ts'
import { eraseSession } from '../../lib/core/live/erase.ts'
import { createLane, type Lane } from '../support/live-lane.ts'
import { createScriptedEngine } from '../support/scripted-engine.ts'
import { failed, sqsEvent } from './samples.ts'

let lane: Lane

beforeEach(async () => {
  lane = await createLane({ engine: createScriptedEngine() })
})
afterEach(() => lane.dispose())

const message = { tenant: 'acme', sessionId: 'standup' }
const NONE = { batchItemFailures: [] }

/** A message that was sent so long before now. */
function sent(agoMs: number) {
  const event = sqsEvent(message)
  event.Records[0]!.attributes.SentTimestamp = String(lane.ports.clock() - agoMs)
  return event
}

describe('messages of the live queue', () => {
  const never = new AbortController().signal

  it('that were sent before the last look at their session need no other', async () => {
    let looks = 0
    const sessions = {
      ...lane.ports.sessions,
      get: (ref: typeof message) => {
        looks++
        return lane.ports.sessions.get(ref)
      },
    }
    await lane.post(new Uint8Array(0), 0)
    const handle = liveHandler({ ...lane.ports, sessions }, { drain: never })
    expect(await handle(sent(0))).toEqual(NONE)
    expect(looks).toBeGreaterThan(0)
    looks = 0
    for (const agoMs of [60_000, 10_000]) expect(await handle(sent(agoMs))).toEqual(NONE)
    expect(looks).toBe(0)
    await handle(sent(0))
    expect(looks).toBeGreaterThan(0)
  })

  it('after a look that failed are looked at again', async () => {
    const sessions = { ...lane.ports.sessions, live: () => Promise.reject(new Error('down')) }
    await lane.post(new Uint8Array(0), 0)
    const handle = liveHandler({ ...lane.ports, sessions }, { drain: never })
    expect(await handle(sent(0))).toEqual(failed(0))
    expect(await handle(sent(60_000))).toEqual(failed(0))
  })

  it('at the end of the service are given back, and nobody is to blame', async () => {
    await lane.post(new Uint8Array(0), 0)
    const handle = liveHandler(lane.ports, { drain: AbortSignal.abort() })
    expect(await handle(sent(0))).toEqual(failed(0))
    expect(lane.base.logLines.join()).not.toContain('error')
  })

  it('of an erased session remove what was written meanwhile', async () => {
    await lane.post(new Uint8Array(1), 0)
    const { shards, deliveries } = lane.base
    await eraseSession({ ...lane.ports, shards, deliveries })(lane.ref)
    await lane.ports.objects.put(chunkKey(lane.ref, { seq: 9, post: 'late' }), 'sound', 'audio/webm')
    await lane.run()
    expect(await lane.ports.objects.list('live/')).toEqual([])
  })
})

describe('a dead letter of the live queue', () => {
  it('is told to who asks for the session, which is not given up', async () => {
    await lane.post(new Uint8Array(0), 0)
    expect(await liveDeadLetterHandler(lane.ports)(sqsEvent(message))).toEqual(NONE)
    expect(await lane.session()).toMatchObject({ state: 'OPEN', lastError: 'internal' })
    expect(lane.base.logLines.join()).toContain('session does not get on')
    await lane.run()
    expect((await lane.state())?.ingest.nextSeq).toBe(1)
  })

  it('of a session that is gone is nobody’s', async () => {
    expect(await liveDeadLetterHandler(lane.ports)(sqsEvent(message))).toEqual(NONE)
  })

  it('that is no message of ours stays', async () => {
    expect(await liveDeadLetterHandler(lane.ports)(sqsEvent('x'))).toEqual(failed(0))
  })
})
