import { describe, expect, it } from '@jest/globals'
import { unheardRest } from '../../../lib/core/audio/unheard.ts'

const window = { startMs: 10_000, endMs: 38_000 }
const regions = [
  { startMs: 10_400, endMs: 13_000 },
  { startMs: 14_000, endMs: 20_000 },
  { startMs: 22_000, endMs: 37_600 },
]

describe('what the engine left unheard', () => {
  it('is nothing when the last segment reaches the last speech', () => {
    expect(unheardRest(window, regions, [{ startMs: 22_000, endMs: 37_300 }])).toBeUndefined()
  })

  it('is nothing when only silence follows', () => {
    expect(unheardRest(window, regions.slice(0, 2), [{ startMs: 14_100, endMs: 19_500 }])).toBeUndefined()
  })

  it('begins with the segment that was broken off', () => {
    const segments = [
      { startMs: 10_500, endMs: 12_900 },
      { startMs: 14_100, endMs: 14_800 },
    ]
    expect(unheardRest(window, regions, segments)).toEqual({ startMs: 13_800, endMs: 38_000, keep: 1 })
  })

  it('begins after the only segment, which would come out the same again', () => {
    const segments = [{ startMs: 10_500, endMs: 11_200 }]
    expect(unheardRest(window, regions, segments)).toEqual({ startMs: 11_200, endMs: 38_000, keep: 1 })
  })

  it('is given up where nothing was heard at all', () => {
    expect(unheardRest(window, regions, [])).toBeUndefined()
  })

  it('comes to an end however little each hearing gives', () => {
    let rest: { startMs: number; endMs: number } | undefined = window
    let hearings = 0
    while (rest && hearings < 1_000) {
      hearings++
      rest = unheardRest(rest, regions, [{ startMs: rest.startMs, endMs: rest.startMs + 600 }])
    }
    expect(hearings).toBeLessThan(60)
  })
})
