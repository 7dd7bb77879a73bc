import { describe, expect, it } from '@jest/globals'
import type { VoiceTrack } from '../../../lib/core/audio/voice.ts'
import { cutWindows } from '../../../lib/core/audio/windows.ts'
import { randomFrom } from '../../support/random.ts'
import { type Part, repeated } from './patterns.ts'
import { heard, spoken, uncovered, ungated } from './tracks.ts'

const times = (track: VoiceTrack) => cutWindows(track).map(({ startMs, endMs }) => [startMs, endMs])
const pauses = (track: VoiceTrack) => cutWindows(track).map(({ pauseMs }) => pauseMs)

describe('cutting into windows', () => {
  it('makes none of silence', () => {
    expect(cutWindows(heard([[75_000, -127.5]]))).toEqual([])
  })

  it('begins before the speech and ends after it, inside the recording', () => {
    expect(times(spoken([{ startMs: 5_000, endMs: 8_000 }], 20_000))).toEqual([[4_600, 8_300]])
    expect(times(spoken([{ startMs: 100, endMs: 8_000 }], 8_100))).toEqual([[0, 8_100]])
  })

  it('goes on over a short silence and leaves a long one out', () => {
    const first = { startMs: 1_000, endMs: 4_000 }
    expect(times(spoken([first, { startMs: 8_000, endMs: 9_000 }], 30_000))).toEqual([[600, 9_300]])
    expect(times(spoken([first, { startMs: 9_200, endMs: 10_000 }], 30_000))).toEqual([
      [600, 4_300],
      [8_800, 10_300],
    ])
  })

  it('gives each neighbour half of a pause that is too short for both', () => {
    const regions = [
      { startMs: 0, endMs: 20_000 },
      { startMs: 20_400, endMs: 40_000 },
    ]
    expect(times(spoken(regions, 40_000))).toEqual([
      [0, 20_200],
      [20_200, 40_000],
    ])
  })

  it('prefers the long pause to the short one when both give as few windows', () => {
    const regions = [
      { startMs: 1_000, endMs: 15_000 },
      { startMs: 16_500, endMs: 24_000 },
      { startMs: 24_200, endMs: 40_000 },
    ]
    expect(times(spoken(regions, 41_000))).toEqual([
      [600, 15_300],
      [16_100, 40_300],
    ])
  })

  it('needs no more windows than the length of the speech demands', () => {
    const sentences = Array.from({ length: 100 }, (_, i) => ({
      startMs: i * 2_700,
      endMs: i * 2_700 + 2_300,
    }))
    // Ten sentences fit into 28 s.
    expect(cutWindows(spoken(sentences, 270_000))).toHaveLength(10)
  })

  it('cuts inside a region in a pause of 150 ms where there is one', () => {
    const parts = repeated(20, [
      [2_840, -20, 'talk'],
      [160, -50],
    ])
    const windows = cutWindows(ungated(parts))
    expect(windows).toHaveLength(3)
    for (const { endMs } of windows.slice(0, -1)) expect(endMs % 3_000).toBeGreaterThan(2_800)
    for (const [i, { startMs }] of windows.slice(1).entries()) expect(startMs).toBe(windows[i]!.endMs)
  })

  it('cuts somebody who never pauses at a quiet moment, in as few windows as can be', () => {
    const track = heard([[80_000, -20, 'talk']])
    const windows = cutWindows(track)
    expect(windows).toHaveLength(3)
    for (const { endMs } of windows.slice(0, -1)) expect(track.level(endMs)).toBeLessThan(-25)
  })

  it('says how long the pause is that each window ends in', () => {
    const regions = [
      { startMs: 0, endMs: 20_000 },
      { startMs: 20_400, endMs: 40_000 },
      { startMs: 50_000, endMs: 52_000 },
    ]
    // The gate has made 300 ms of each pause a part of the regions; after the last one it is what is left.
    expect(pauses(spoken(regions, 60_000))).toEqual([700, 10_300, 8_000])
    expect(pauses(spoken(regions, 52_000))).toEqual([700, 10_300, 0])
  })

  it('says so of pauses inside regions, and of unbroken speech that there is none', () => {
    const sentences = repeated(20, [
      [2_800, -20, 'talk'],
      [200, -50],
    ])
    const [first, second] = pauses(ungated(sentences))
    for (const pauseMs of [first!, second!]) expect(Math.abs(pauseMs - 200)).toBeLessThanOrEqual(40)
    expect(pauses(heard([[80_000, -20, 'talk']]))).toEqual([0, 0, 0])
  })

  it('covers every region, in order, without overlap, in windows that are short enough, whatever the sound', () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = randomFrom(seed)
      const long = random() < 0.3 ? 40_000 : 4_000
      const parts = Array.from(
        { length: 1 + Math.floor(random() * 40) },
        (): Part =>
          random() < 0.6
            ? [random() * long, -60 + random() * 50, 'talk']
            : [random() * 8_000, -90 + random() * 70],
      )
      const track = heard(parts, seed)
      const maxMs = random() < 0.5 ? 28_000 : 6_000 + Math.floor(random() * 20_000)
      const windows = cutWindows(track, { maxMs })
      const wrong = windows.filter(
        ({ index, startMs, endMs }, i) =>
          index !== i ||
          !(Number.isInteger(startMs) && Number.isInteger(endMs)) ||
          endMs <= startMs ||
          endMs - startMs > maxMs ||
          startMs < (windows[i - 1]?.endMs ?? 0) ||
          endMs > track.durationMs,
      )
      expect({ seed, wrong }).toEqual({ seed, wrong: [] })
      const lost = track.regions.filter((region) => uncovered(region, windows) > 0)
      expect({ seed, lost }).toEqual({ seed, lost: [] })
    }
  })
})
