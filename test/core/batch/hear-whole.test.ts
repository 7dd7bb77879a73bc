import { describe, expect, it } from '@jest/globals'
import type { Region } from '../../../lib/core/audio/voice.ts'
import { hearWhole } from '../../../lib/core/batch/hear-whole.ts'
import type { Recording } from '../../../lib/core/ports.ts'
import type { HeardSegment } from '../../../lib/core/transcript/shape.ts'
import { createScriptedEngine } from '../../support/scripted-engine.ts'

const RECORDING: Recording = {
  ...{ durationMs: 100_000, channels: 1, truncated: false },
  read: async (_channel, startMs, endMs) => new Int16Array((endMs - startMs) * 16),
  dispose: async () => {},
}

/** An engine that ends its text early: it hears these stretches of whatever it is given. */
function shortOfBreath(...stretches: Array<readonly [startMs: number, endMs: number]>) {
  const requests: number[] = []
  const hear = async (pcm16: Int16Array): Promise<HeardSegment[]> => {
    requests.push(pcm16.length / 16)
    return stretches.map(([startMs, endMs]) => ({
      ...{ startMs, endMs, text: 'word', avgLogprob: -0.1, noSpeechProb: 0, compressionRatio: 1 },
      words: [{ text: 'word', startMs, endMs, probability: 1 }],
    }))
  }
  return { engine: { ...createScriptedEngine(), hear }, requests }
}

const hear = (engine: ReturnType<typeof shortOfBreath>['engine'], regions: Region[], endMs = 30_000) => {
  return hearWhole(
    engine,
    { recording: RECORDING, regions },
    { channel: 0, startMs: 20_000, endMs },
    { language: 'en' },
  )
}

const spokenUntil = (endMs: number): Region[] => [{ startMs: 20_000, endMs }]
const timesOf = (heard: HeardSegment[]) => heard.map(({ startMs, endMs }) => [startMs, endMs])

describe('a window', () => {
  it('that the engine heard to the end of its speech is asked for once', async () => {
    const { engine, requests } = shortOfBreath([0, 2000])
    expect(timesOf(await hear(engine, spokenUntil(22_500)))).toEqual([[0, 2000]])
    expect(requests).toEqual([10_000])
  })

  it('is asked for again from where the text ended, until no speech is left', async () => {
    const { engine, requests } = shortOfBreath([0, 2500])
    const heard = await hear(engine, spokenUntil(30_000))
    expect(requests).toEqual([10_000, 7500, 5000, 2500])
    // Times count from the beginning of the window, those of the words too.
    expect(timesOf(heard)).toEqual([0, 2500, 5000, 7500].map((startMs) => [startMs, startMs + 2500]))
    expect(heard.map(({ words }) => words[0]?.startMs)).toEqual([0, 2500, 5000, 7500])
  })

  it('has its last segment, broken off, heard again with the rest', async () => {
    const { engine, requests } = shortOfBreath([0, 4000], [4000, 5000])
    const heard = await hear(engine, spokenUntil(28_000))
    expect(requests).toEqual([10_000, 6300])
    expect(timesOf(heard)).toEqual([
      [0, 4000],
      [3700, 7700],
      [7700, 8700],
    ])
  })

  it('is given up after six requests', async () => {
    const { engine, requests } = shortOfBreath([0, 600])
    expect(timesOf(await hear(engine, spokenUntil(30_000)))).toHaveLength(6)
    expect(requests).toHaveLength(6)
  })

  it('in which the engine hears nothing at all is not asked for again', async () => {
    const { engine, requests } = shortOfBreath()
    expect(await hear(engine, spokenUntil(30_000))).toEqual([])
    expect(requests).toEqual([10_000])
  })
})
