import { describe, expect, it } from '@jest/globals'
import type { Region } from '../../../lib/core/audio/voice.ts'
import { pickSamples, pickVoiced } from '../../../lib/core/audio/voiced.ts'

const MINUTE = 60_000

describe('where to listen for the language', () => {
  it('is nowhere when nobody speaks', () => {
    expect(pickVoiced([])).toBeUndefined()
  })

  it('is the densest 28 s, not the beginning', () => {
    const regions = [
      { startMs: 1_000, endMs: 2_000 },
      { startMs: 60_000, endMs: 75_000 },
      { startMs: 76_000, endMs: 84_000 },
      { startMs: 120_000, endMs: 130_000 },
    ]
    expect(pickVoiced(regions)).toEqual({ startMs: 60_000, endMs: 84_000, voicedMs: 23_000 })
  })

  it('is the earliest of equals, 28 s at most', () => {
    const regions = [0, 100_000].map((startMs) => ({ startMs, endMs: startMs + 50_000 }))
    expect(pickVoiced(regions)).toEqual({ startMs: 0, endMs: 28_000, voicedMs: 28_000 })
  })

  it('is looked for in the ten minutes after the first word, and no further', () => {
    const regions = [
      { startMs: 20 * MINUTE, endMs: 20 * MINUTE + 5_000 },
      { startMs: 31 * MINUTE, endMs: 32 * MINUTE },
    ]
    expect(pickVoiced(regions)).toEqual({ startMs: 20 * MINUTE, endMs: 20 * MINUTE + 5_000, voicedMs: 5_000 })
  })
})

describe('where else to listen for the language', () => {
  const MOST = 3
  const at = (startMs: number, ms: number): Region => ({ startMs, endMs: startMs + ms })
  /** Sentences of `ms`, one every `everyMs`. */
  const sentences = (count: number, ms: number, everyMs: number) =>
    Array.from({ length: count }, (_, i) => at(i * everyMs, ms))

  it.each([
    ['nowhere when nobody speaks', [], []],
    ['one place when all is said within 28 s', [at(5_000, 9_000), at(20_000, 12_000)], [[5_000, 32_000]]],
    [
      'one, the fullest, when little is said in a long time',
      [at(0, 2_000), at(MINUTE, 9_000)],
      [[60_000, 69_000]],
    ],
    [
      'in every third of the speech, where most is said there',
      [
        at(0, 9_000),
        at(MINUTE, 20_000),
        at(30 * MINUTE, 25_000),
        at(31 * MINUTE, 4_000),
        at(50 * MINUTE, 27_000),
      ],
      [
        [3_000_000, 3_027_000],
        [60_000, 80_000],
        [1_800_000, 1_825_000],
      ],
    ],
    [
      'first where most is said, then always farthest from the places before',
      [at(0, 26_000), at(30 * MINUTE, 27_000), at(70 * MINUTE, 25_000)],
      [
        [1_800_000, 1_827_000],
        [4_200_000, 4_225_000],
        [0, 26_000],
      ],
    ],
    [
      'inside a region that is as long as the recording, in steps of 28 s',
      [at(0, 280_000)],
      [
        [0, 28_000],
        [196_000, 224_000],
        [112_000, 140_000],
      ],
    ],
  ])('is %s', (_, regions, expected) => {
    expect(pickSamples(regions, MOST).map(({ startMs, endMs }) => [startMs, endMs])).toEqual(expected)
  })

  it.each([1, 2, 3, 5, 8])('is in %i places of a long recording, apart and from all over it', (most) => {
    const samples = pickSamples(sentences(1_000, 5_000, 6_000), most)
    expect(samples).toHaveLength(most)
    const inOrder = samples.toSorted((a, b) => a.startMs - b.startMs)
    for (const [i, { startMs, endMs, voicedMs }] of inOrder.entries()) {
      expect(startMs % 6_000).toBe(0)
      expect(endMs - startMs).toBeLessThanOrEqual(28_000)
      expect(voicedMs).toBe(24_000)
      expect(Math.floor(startMs / (6_000_000 / most))).toBe(i)
      expect(startMs).toBeGreaterThanOrEqual(inOrder[i - 1]?.endMs ?? 0)
    }
  })
})
