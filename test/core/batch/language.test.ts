import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Stretch } from '../../../lib/core/batch/3-plan.ts'
import { decideLanguage } from '../../../lib/core/batch/language.ts'
import type { Recording } from '../../../lib/core/ports.ts'
import { createScriptedEngine, type ScriptedEngine } from '../../support/scripted-engine.ts'

let engine: ScriptedEngine
beforeEach(() => {
  engine = createScriptedEngine()
})

/** Sound of which only the length matters here. */
const RECORDING: Pick<Recording, 'read'> = {
  read: async (_channel, startMs, endMs) => new Int16Array((endMs - startMs) * 16),
}

/** Three places, of 40, 50 and 60 ms. */
const SAMPLES: readonly Stretch[] = [
  { channel: 1, startMs: 50, endMs: 90 },
  { channel: 0, startMs: 200, endMs: 250 },
  { channel: 0, startMs: 300, endMs: 360 },
]

interface Asked {
  readonly samples?: readonly Stretch[]
  readonly asked?: string
  readonly short?: boolean
}

const decide = ({ samples = SAMPLES, asked, short = false }: Asked = {}) =>
  decideLanguage(engine, { recording: RECORDING, samples, short }, asked, new AbortController().signal)

describe('the language', () => {
  it('that was asked for is believed, speech or no speech', async () => {
    expect(await decide({ asked: 'fr' })).toEqual({ code: 'fr', detected: false })
    expect(await decide({ asked: 'fr', samples: [] })).toEqual({ code: 'fr', detected: false })
    expect(engine.detected).toEqual([])
  })

  it('of silence is none', async () => {
    expect(await decide({ samples: [] })).toBeNull()
    expect(engine.detected).toEqual([])
  })

  it('is detected in the one place there is', async () => {
    expect(await decide({ samples: SAMPLES.slice(0, 1) })).toEqual({
      code: 'de',
      detected: true,
      probability: 0.75,
    })
    expect(engine.detected).toEqual([40])
  })

  it.each<[string, Array<[string, number]>, { code: string; probability: number; asked: number }]>([
    ['two that agree', [['en', 0.5], ['en', 0.7], ['de', 1]], { code: 'en', probability: 0.6, asked: 2 }], // biome-ignore format: a table
    ['the first and last', [['en', 0.5], ['de', 1], ['en', 0.7]], { code: 'en', probability: 0.6, asked: 3 }], // biome-ignore format: a table
    ['the last two', [['de', 1], ['en', 0.5], ['en', 0.7]], { code: 'en', probability: 0.6, asked: 3 }], // biome-ignore format: a table
    ['the surest where all differ', [['de', 0.3], ['en', 0.5], ['fr', 0.4]], { code: 'en', probability: 0.5, asked: 3 }], // biome-ignore format: a table
  ])('of a long recording is that of %s', async (_, votes, { code, probability, asked }) => {
    engine.speak(...votes.map(([language, sure]) => ({ language, probability: sure })))
    expect(await decide()).toEqual({ code, detected: true, probability: expect.closeTo(probability) })
    expect(engine.detected).toEqual([40, 50, 60].slice(0, asked))
  })

  it.each([
    [0.8, [40]],
    [0.79, [40, 50]],
  ])(
    'of a short recording is believed at once when the first place is sure of it (%f)',
    async (probability, heard) => {
      engine.speak(...Array(3).fill({ language: 'en', probability }))
      expect(await decide({ short: true })).toMatchObject({ code: 'en' })
      expect(engine.detected).toEqual(heard)
    },
  )

  it('of a long recording is not believed after one place, however sure', async () => {
    engine.speak({ language: 'en', probability: 1 })
    expect(await decide()).toMatchObject({ code: 'de' })
    expect(engine.detected).toEqual([40, 50, 60])
  })
})
