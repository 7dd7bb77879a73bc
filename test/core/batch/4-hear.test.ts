import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Plan } from '../../../lib/core/batch/3-plan.ts'
import { decideLanguage, hearWindows } from '../../../lib/core/batch/4-hear.ts'
import { VerbatimError } from '../../../lib/core/errors.ts'
import { type JobRef, workPrefix } from '../../../lib/core/keys.ts'
import type { Recording } from '../../../lib/core/ports.ts'
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
function planOf(...lengths: number[]): Plan {
  let end = 0
  const windows = lengths.map((ms) => {
    end += ms
    return { channel: 0, startMs: end - ms, endMs: end }
  })
  return { recording: RECORDING, windows, regions: new Map(), voiced: { channel: 1, startMs: 50, endMs: 90 } }
}

interface Asked {
  readonly engine?: ScriptedEngine
  readonly language?: string
  readonly prompt?: string
  readonly signal?: AbortSignal
  readonly onHeard?: (share: number) => void
}

const hear = (plan: Plan, asked: Asked = {}) => {
  const { engine = ports.engine, language = 'en', prompt, signal, onHeard = () => {} } = asked
  const options = { language, onHeard, signal: signal ?? new AbortController().signal }
  return hearWindows({ engine, objects: ports.objects }, ref, plan, {
    ...options,
    ...(prompt !== undefined && { prompt }),
  })
}

const heardLengths = (engine: ScriptedEngine) => engine.heard.map(({ ms }) => ms)
const savedKeys = () => ports.objects.list(workPrefix(ref))

describe('hearing', () => {
  it('gives every window its words, in the order of the windows', async () => {
    const heard = await hear(planOf(300, 100, 200))
    expect(heard.map(({ startMs, endMs, segments }) => [startMs, endMs, segments[0]?.text])).toEqual([
      [0, 300, 'Xyzzy 300 en'],
      [300, 400, 'Xyzzy 100 en'],
      [400, 600, 'Xyzzy 200 en'],
    ])
  })

  it('of no windows is done at once', async () => {
    expect(await hear(planOf())).toEqual([])
  })

  it('tells the share of the sound that is done, not of the windows', async () => {
    const shares: number[] = []
    await hear(planOf(100, 300, 600), { onHeard: (share) => shares.push(share) })
    expect(shares).toEqual([0.1, 0.4, 1])
  })

  it('hears as many windows side by side as the engine is wide, and not one more', async () => {
    const engine = createScriptedEngine({ width: 3 })
    engine.block()
    const done = hear(planOf(100, 200, 300, 400, 500), { engine })
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
    const done = hear(planOf(100, 200, 300, 400, 500), { engine })
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
    const done = hear(planOf(100, 200), { signal: stop.signal })
    await ports.engine.whenWaiting(1)
    stop.abort(reason)
    await expect(done).rejects.toBe(reason)
    expect(heardLengths(ports.engine)).toEqual([100])
  })

  it('never begins under a signal that has fired', async () => {
    const reason = new VerbatimError('cancelled', 'Before.')
    await expect(hear(planOf(100), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(ports.engine.heard).toEqual([])
  })
})

describe('a saved window', () => {
  it('is not heard again, and says the same', async () => {
    const first = await hear(planOf(100, 200), { prompt: 'Zoë' })
    const shares: number[] = []
    const again = createScriptedEngine()
    const options = { engine: again, prompt: 'Zoë', onHeard: (share: number) => shares.push(share) }
    expect(await hear(planOf(100, 200), options)).toEqual(first)
    expect(again.heard).toEqual([])
    expect(shares.at(-1)).toBe(1)
  })

  it.each<[string, Asked]>([
    ['another model', { engine: createScriptedEngine({ model: 'large' }), prompt: 'Zoë' }],
    ['another prompt', { prompt: 'Łukasz' }],
    ['no prompt', {}],
    ['another language', { prompt: 'Zoë', language: 'de' }],
  ])('is heard again with %s', async (_, changed) => {
    await hear(planOf(100, 200), { prompt: 'Zoë' })
    const engine = changed.engine ?? createScriptedEngine()
    const heard = await hear(planOf(100, 200), { ...changed, engine })
    expect(heardLengths(engine)).toEqual([100, 200])
    expect(heard[0]?.segments[0]?.text).toBe(`Xyzzy 100 ${changed.language ?? 'en'}`)
  })

  it('that was cut differently is heard again', async () => {
    await hear(planOf(100, 200))
    await hear(planOf(120, 180))
    expect(heardLengths(ports.engine)).toEqual([100, 200, 120, 180])
  })

  it.each([
    ['empty', ''],
    ['not JSON', '{"heardWith":'],
    ['of another shape', JSON.stringify({ heardWith: 'x', segments: [{ text: 7 }] })],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
  ])('that is damaged (%s) is heard again and mended', async (_, bytes) => {
    const first = await hear(planOf(100))
    const [key] = await savedKeys()
    const intact = await ports.objects.get(key!)
    await ports.objects.put(key!, bytes, 'application/json')
    expect(await hear(planOf(100))).toEqual(first)
    expect(heardLengths(ports.engine)).toEqual([100, 100])
    expect(await ports.objects.get(key!)).toEqual(intact)
  })

  it('of another job is not looked at', async () => {
    await hear(planOf(100))
    ref = { ...ref, jobId: ports.newJobId() }
    await hear(planOf(100))
    expect(heardLengths(ports.engine)).toEqual([100, 100])
  })
})

describe('the language', () => {
  const decide = (plan: Plan, asked?: string) =>
    decideLanguage(ports, plan, asked, new AbortController().signal)

  it('that was asked for is believed, speech or no speech', async () => {
    expect(await decide(planOf(100), 'fr')).toEqual({ code: 'fr', detected: false })
    const { voiced: _, ...silent } = planOf()
    expect(await decide(silent, 'fr')).toEqual({ code: 'fr', detected: false })
    expect(ports.engine.detected).toEqual([])
  })

  it('is detected where most is said', async () => {
    expect(await decide(planOf(100))).toEqual({ code: 'de', detected: true, probability: 0.75 })
    expect(ports.engine.detected).toEqual([40])
  })

  it('of silence is none', async () => {
    const { voiced: _, ...silent } = planOf()
    expect(await decide(silent)).toBeNull()
    expect(ports.engine.detected).toEqual([])
  })
})
