import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { PlannedShard } from '../../../lib/core/batch/3-plan.ts'
import { hearShards, SEAM_MS, seamStretches } from '../../../lib/core/batch/4-shard.ts'
import { VerbatimError } from '../../../lib/core/errors.ts'
import { type JobRef, workPrefix } from '../../../lib/core/keys.ts'
import type { Engine, Recording } from '../../../lib/core/ports.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { createScriptedEngine, type ScriptedEngine } from '../../support/scripted-engine.ts'
import { TENANT } from './jobs.ts'

let ports: TestPorts
let ref: JobRef
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => {
  ports.reset()
  ref = { tenant: TENANT, jobId: ports.newJobId() }
})
afterAll(() => ports.dispose())

/** Sound of which only the length matters here. */
const RECORDING: Recording = {
  ...{ durationMs: 100_000, channels: 2, truncated: false },
  read: async (_channel, startMs, endMs) => new Int16Array((endMs - startMs) * 16),
  dispose: async () => {},
}

/** Windows of these lengths, one after the other. */
function shardOf(...lengths: number[]): PlannedShard {
  let endMs = 0
  const windows = lengths.map((ms) => {
    endMs += ms
    return { startMs: endMs - ms, endMs }
  })
  return { channel: 0, windows, regions: [], seams: [] }
}

interface Asked {
  readonly engine?: ScriptedEngine
  readonly language?: string
  readonly prompt?: string
  readonly signal?: AbortSignal
  readonly onHeard?: (share: number) => void
}

const hearAll = (shards: readonly PlannedShard[], asked: Asked = {}) => {
  const { engine = ports.engine, language = 'en', prompt, signal, onHeard = () => {} } = asked
  const options = { language, onHeard, signal: signal ?? new AbortController().signal }
  return hearShards({ ...ports, engine }, ref, RECORDING, shards, {
    ...options,
    ...(prompt !== undefined && { prompt }),
  })
}

const hear = async (shard: PlannedShard, asked: Asked = {}) => (await hearAll([shard], asked)).windows

const heardLengths = (engine: ScriptedEngine) => engine.heard.map(({ ms }) => ms)
const savedKeys = () => ports.objects.list(workPrefix(ref))

describe('hearing', () => {
  it('gives every window its words, in the order of the windows', async () => {
    const heard = await hear(shardOf(300, 100, 200))
    expect(heard.map(({ startMs, endMs, segments }) => [startMs, endMs, segments[0]?.text])).toEqual([
      [0, 300, 'Xyzzy 300 en'],
      [300, 400, 'Xyzzy 100 en'],
      [400, 600, 'Xyzzy 200 en'],
    ])
  })

  it('of no windows is done at once', async () => {
    expect(await hearAll([])).toEqual({ windows: [], seams: [], engineMs: 0, idleMs: 0 })
    expect(await hear(shardOf())).toEqual([])
  })

  it('tells the share of the sound that is done, not of the windows', async () => {
    const shares: number[] = []
    await hear(shardOf(100, 300, 600), { onHeard: (share) => shares.push(share) })
    expect(shares).toEqual([0.1, 0.4, 1])
  })

  it('hears as many windows side by side as the engine is wide, and not one more', async () => {
    const engine = createScriptedEngine({ width: 3 })
    engine.block()
    const done = hear(shardOf(100, 200, 300, 400, 500), { engine })
    await engine.whenWaiting(3)
    expect(heardLengths(engine)).toEqual([100, 200, 300])
    engine.release(1)
    // The place that became free is taken by the next window.
    while (engine.heard.length < 4) await new Promise((resolve) => setTimeout(resolve, 2))
    await engine.whenWaiting(3)
    expect(heardLengths(engine)).toEqual([100, 200, 300, 400])
    engine.release()
    expect((await done).map(({ segments }) => segments[0]?.endMs)).toEqual([100, 200, 300, 400, 500])
  })

  it('is stopped everywhere by the first error, and that is the one to tell', async () => {
    const engine = createScriptedEngine({ width: 3 })
    engine.block()
    engine.fail('engine-crashed')
    const done = hear(shardOf(100, 200, 300, 400, 500), { engine })
    await engine.whenWaiting(3)
    engine.release(1)
    await expect(done).rejects.toMatchObject({ code: 'engine-crashed' })
    // Nobody is left waiting and nothing more was begun.
    expect(heardLengths(engine)).toEqual([100, 200, 300])
    expect(await savedKeys()).toEqual([])
  })

  it('is stopped by its signal, for the reason that the signal has', async () => {
    const stop = new AbortController()
    const reason = new VerbatimError('cancelled', 'Because.')
    ports.engine.block()
    const done = hear(shardOf(100, 200), { signal: stop.signal })
    await ports.engine.whenWaiting(1)
    stop.abort(reason)
    await expect(done).rejects.toBe(reason)
    expect(heardLengths(ports.engine)).toEqual([100])
  })

  it('never begins under a signal that has fired', async () => {
    const reason = new VerbatimError('cancelled', 'Before.')
    await expect(hear(shardOf(100), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(ports.engine.heard).toEqual([])
  })
})

describe('hearing several shards', () => {
  const left = { ...shardOf(100, 200), channel: 0 }
  const right = { ...shardOf(150, 300), channel: 1 }

  it('goes by the time of the windows, whatever shard and channel they are of', async () => {
    const { windows } = await hearAll([left, right])
    expect(windows.map(({ channel, startMs }) => [channel, startMs])).toEqual([
      ...[0, 1].map((channel) => [channel, 0]),
      [0, 100],
      [1, 150],
    ])
    expect(heardLengths(ports.engine)).toEqual([100, 150, 200, 300])
  })

  it('says how long the engine was at it', async () => {
    const engine: Engine = {
      ...ports.engine,
      hear: (pcm16, options) => {
        ports.time.now += 40
        return ports.engine.hear(pcm16, options)
      },
    }
    const hearing = { ...ports, engine }
    const options = { language: 'en', signal: new AbortController().signal }
    expect(await hearShards(hearing, ref, RECORDING, [left, right], options)).toMatchObject({ engineMs: 160 })
    // What was saved costs nothing more.
    expect(await hearShards(hearing, ref, RECORDING, [left, right], options)).toMatchObject({ engineMs: 0 })
  })
})

describe('the sound around a seam', () => {
  const withSeam = (atMs: number) => ({ ...shardOf(10_000, 10_000), seams: [atMs] })

  it('is heard once besides the windows, and is none of them', async () => {
    const heard = await hearAll([withSeam(10_000)])
    expect(heard.windows).toHaveLength(2)
    expect(heard.seams).toMatchObject([
      { atMs: 10_000, channel: 0, startMs: 10_000 - SEAM_MS, endMs: 10_000 + SEAM_MS },
    ])
    expect(heard.seams[0]!.segments[0]?.text).toBe(`Xyzzy ${2 * SEAM_MS} en`)
    expect(heardLengths(ports.engine)).toEqual([10_000, 2 * SEAM_MS, 10_000])
  })

  it('is saved as windows are', async () => {
    const first = await hearAll([withSeam(10_000)])
    const engine = createScriptedEngine()
    expect(await hearAll([withSeam(10_000)], { engine })).toEqual(first)
    expect(engine.heard).toEqual([])
  })

  it('begins with the recording where the seam is near that', () => {
    expect(seamStretches(withSeam(1000))).toEqual([
      { channel: 0, atMs: 1000, startMs: 0, endMs: 1000 + SEAM_MS },
    ])
  })

  it('counts for the progress like any other sound', async () => {
    const shares: number[] = []
    await hearAll([withSeam(10_000)], { onHeard: (share) => shares.push(share) })
    const all = 20_000 + 2 * SEAM_MS
    expect(shares).toEqual([10_000 / all, (10_000 + 2 * SEAM_MS) / all, 1])
  })
})

describe('a saved window', () => {
  it('is not heard again, and says the same', async () => {
    const first = await hear(shardOf(100, 200), { prompt: 'Zoë' })
    const shares: number[] = []
    const again = createScriptedEngine()
    const options = { engine: again, prompt: 'Zoë', onHeard: (share: number) => shares.push(share) }
    expect(await hear(shardOf(100, 200), options)).toEqual(first)
    expect(again.heard).toEqual([])
    expect(shares.at(-1)).toBe(1)
  })

  it.each<[string, Asked]>([
    ['another model', { engine: createScriptedEngine({ model: 'large' }), prompt: 'Zoë' }],
    ['another prompt', { prompt: 'Łukasz' }],
    ['no prompt', {}],
    ['another language', { prompt: 'Zoë', language: 'de' }],
  ])('is heard again with %s', async (_, changed) => {
    await hear(shardOf(100, 200), { prompt: 'Zoë' })
    const engine = changed.engine ?? createScriptedEngine()
    const heard = await hear(shardOf(100, 200), { ...changed, engine })
    expect(heardLengths(engine)).toEqual([100, 200])
    expect(heard[0]?.segments[0]?.text).toBe(`Xyzzy 100 ${changed.language ?? 'en'}`)
  })

  it('that was cut differently is heard again', async () => {
    await hear(shardOf(100, 200))
    await hear(shardOf(120, 180))
    expect(heardLengths(ports.engine)).toEqual([100, 200, 120, 180])
  })

  it.each([
    ['empty', ''],
    ['not JSON', '{"heardWith":'],
    ['of another shape', JSON.stringify({ heardWith: 'x', segments: [{ text: 7 }] })],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
  ])('that is damaged (%s) is heard again and mended', async (_, bytes) => {
    const first = await hear(shardOf(100))
    const [key] = await savedKeys()
    const intact = await ports.objects.get(key!)
    await ports.objects.put(key!, bytes, 'application/json')
    expect(await hear(shardOf(100))).toEqual(first)
    expect(heardLengths(ports.engine)).toEqual([100, 100])
    expect(await ports.objects.get(key!)).toEqual(intact)
  })

  it('of another job is not looked at', async () => {
    await hear(shardOf(100))
    ref = { ...ref, jobId: ports.newJobId() }
    await hear(shardOf(100))
    expect(heardLengths(ports.engine)).toEqual([100, 100])
  })
})
