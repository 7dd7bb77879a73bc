import { describe, expect, it } from '@jest/globals'
import { pickVoiced } from '../../../lib/core/audio/voiced.ts'

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
