import { describe, expect, it } from '@jest/globals'
import type { AdvancePorts } from '../../../lib/core/live/advance.ts'
import type { Sink } from '../../../lib/core/live/ports.ts'
import type { LiveSegment } from '../../../lib/core/live/segment.ts'
import { createLane, type Lane } from '../../support/live-lane.ts'
import { beep, createToneEngine } from '../../support/tones.ts'

const SPOKEN = beep('3 4 _ 6 6 7 _ 12 13')
const PCM = 'audio/pcm;rate=16000;channels=1;format=s16le'
const NAMES = ['Ann', 'Bob']

class Killed extends Error {}

/** A worker that dies right before its nth call of a port: everything it does lies between two of them. */
function mortal(ports: AdvancePorts, dies: number) {
  let calls = 0
  let dead = false
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          if (++calls === dies) dead = true
          if (dead) throw new Killed()
          return (value as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  const { sessions, objects, sound, engine, jobs, live, sinks } = ports
  const wrapped = {
    ...{ sessions: wrap(sessions), objects: wrap(objects), sound: wrap(sound), engine: wrap(engine) },
    ...{ jobs: wrap(jobs), live: wrap(live), sinks: sinks.map(wrap) },
  }
  return { ports: { ...ports, ...wrapped }, calls: () => calls, dead: () => dead }
}

/** What a list in Redis does: takes each final once, in order, however often it is given. */
function createList() {
  const list: LiveSegment[] = []
  const sink: Sink = {
    name: 'list',
    async publish(_session, segments) {
      for (const segment of segments) if (segment.id === list.length) list.push(segment)
    },
  }
  return { list, sink }
}

/** The whole session, in chunks of 2 s with two speakers; every worker but the last is mortal. */
async function session(dies: number) {
  const { list, sink } = createList()
  const lane = await createLane({ engine: createToneEngine(), sinks: [sink] })
  const worker = mortal(lane.ports, dies)
  /** The message of a worker that died is delivered again, to a worker that lives. */
  const run = async () => {
    if (!worker.dead()) await lane.run(worker.ports, worker.dead).catch(() => {})
    if (worker.dead()) {
      lane.base.db.sql.exec('UPDATE messages SET receipt = NULL, visible_at = 0')
      await lane.run()
    }
  }
  try {
    const bytes = Buffer.from(SPOKEN.pcm16.buffer)
    for (let from = 0, seq = 0; from < bytes.length; from += 64_000, seq++) {
      lane.at((from + 64_000) / 32)
      await lane.post(bytes.subarray(from, from + 64_000), seq, PCM)
      await lane.name(NAMES[Math.floor(seq / 2) % 2]!)
      await run()
    }
    await lane.close()
    for (let tries = 0; (await lane.session())?.state !== 'CLOSED' && tries < 20; tries++) {
      await run()
      // A job whose worker has died is free once its lease has run out.
      lane.at(lane.nowMs() + 10_000)
      await lane.tick()
    }
    return { ...(await outcome(lane)), list: list.map(told), calls: worker.calls() }
  } finally {
    await lane.dispose()
  }
}

const told = ({ id, text, startMs, endMs, speaker }: LiveSegment) => [id, text, startMs, endMs, speaker]

async function outcome(lane: Lane) {
  const { state, revision } = (await lane.session())!
  const { ingest, nextSegment } = (await lane.state())!
  return {
    ...{ state, revision, endMs: ingest.endMs, missing: ingest.missing, nextSegment },
    live: lane.seen().map(({ segment }) => told(segment)),
    finals: (await lane.finals()).map(told),
    jobs: (await lane.base.jobs.list('acme', { limit: 100 })).jobs.length,
  }
}

describe('a worker of the live lane that is killed', () => {
  it('between any two of its steps changes no word, no name and no final of a sink, and makes no second job', async () => {
    const { calls, live: _, ...undisturbed } = await session(Number.POSITIVE_INFINITY)
    expect(undisturbed.list.map(([, text]) => text).join(' ')).toBe(
      SPOKEN.words.map(({ text }) => text).join(' '),
    )
    expect(undisturbed).toMatchObject({ state: 'CLOSED', revision: 2, missing: 0, jobs: 1 })
    expect(new Set(undisturbed.list.map(([, , , , speaker]) => speaker))).toEqual(new Set(NAMES))
    expect(calls).toBeGreaterThan(50)

    for (let dies = 1; dies <= calls; dies++) {
      const { calls: __, live: ___, ...disturbed } = await session(dies)
      expect({ dies, ...disturbed }).toEqual({ dies, ...undisturbed })
    }
  }, 300_000)
})
