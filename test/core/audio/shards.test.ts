import { describe, expect, it } from '@jest/globals'
import {
  cutShards,
  SEAM_PAUSE_MS,
  seamsOf,
  shardCount,
  shardTargetMs,
  speechMs,
} from '../../../lib/core/audio/shards.ts'
import type { VoiceTrack } from '../../../lib/core/audio/voice.ts'
import { cutWindows } from '../../../lib/core/audio/windows.ts'
import { randomFrom } from '../../support/random.ts'
import { type Part, repeated } from './patterns.ts'
import { heard, spoken, ungated } from './tracks.ts'

const HOUR = 3_600_000

/** Sentences of some length with pauses after them. */
function sentences(spokenMs: number, pausesMs: readonly number[]): VoiceTrack {
  let atMs = 0
  const regions = pausesMs.map((pauseMs) => {
    const region = { startMs: atMs, endMs: atMs + spokenMs }
    atMs += spokenMs + pauseMs
    return region
  })
  return spoken(regions, atMs)
}

describe('cutting into shards', () => {
  it('makes none of silence', () => {
    expect(cutShards(spoken([], 100_000), { targetMs: 75_000 })).toEqual([])
  })

  it.each([
    ['1 window one', 1, 75_000, 1],
    ['1.4 times the target one', 5, 75_000, 1],
    ['1.7 times the target two', 6, 75_000, 2],
    ['2.5 times the target two', 9, 75_000, 2],
    ['2.8 times the target three', 10, 75_000, 3],
    ['any number of windows one where the target is infinite', 100, Number.POSITIVE_INFINITY, 1],
  ])('makes of %s', (_, count, targetMs, expected) => {
    // Sentences of 20 s in windows of 20.7 s.
    const track = sentences(20_000, Array(count).fill(8_000))
    expect(cutWindows(track)).toHaveLength(count)
    expect(cutShards(track, { targetMs })).toHaveLength(expected)
  })

  it('counts speech, not silence', () => {
    const track = sentences(20_000, Array(5).fill(20 * 60_000))
    expect(cutShards(track, { targetMs: 75_000 })).toHaveLength(1)
  })

  it('leaves no small rest: all are even', () => {
    // 8 × 20.7 s: two of 75 s and a rest of 15 s would be a waste.
    const track = sentences(20_000, Array(8).fill(8_000))
    expect(cutShards(track, { targetMs: 75_000 }).map((shard) => shard.length)).toEqual([4, 4])
  })

  it('ends a shard at the longest pause near', () => {
    const pauses = [300, 300, 2_500, 300, 300, 300, 300, 300]
    const shards = cutShards(sentences(20_000, pauses), { targetMs: 80_000 })
    expect(shards.map((shard) => shard.length)).toEqual([3, 5])
    expect(shards[0]!.at(-1)!.pauseMs).toBe(2_800)
  })

  it('prefers the nearer of two pauses that are both long', () => {
    const pauses = [300, 300, 4_500, 3_000, 300, 300, 300, 300]
    const shards = cutShards(sentences(20_000, pauses), { targetMs: 80_000 })
    expect(shards.map((shard) => shard.length)).toEqual([4, 4])
  })

  it('does not look for a pause farther away than a third of a shard', () => {
    const pauses = [300, 4_500, 300, 300, 300, 300, 300, 300]
    const shards = cutShards(sentences(20_000, pauses), { targetMs: 80_000 })
    expect(shards.map((shard) => shard.length)).toEqual([4, 4])
  })

  it('makes no shard half as long as the others for the sake of two long pauses', () => {
    const pauses = [300, 300, 300, 300, 4_500, 300, 4_500, 300, 300, 300, 300, 300]
    const [first, second, third] = cutShards(sentences(20_000, pauses), { targetMs: 80_000 })
    expect([first!.length, second!.length, third!.length].toSorted()).toEqual([3, 4, 5])
  })

  it('cuts a window in two at a pause rather than end a shard in the middle of a word', () => {
    // The fewest windows are three, and two cuts inside speech whether or not the pause is one of the others.
    const parts: Part[] = [
      [30_000, -20, 'talk'],
      [200, -60],
      [29_800, -20, 'talk'],
    ]
    const track = ungated(parts)
    expect(cutWindows(track).map(({ pauseMs }) => pauseMs)).toEqual([0, 0, 0])
    const [first, second] = cutShards(track, { targetMs: 30_000 })
    expect(Math.abs(first!.at(-1)!.endMs - 30_100)).toBeLessThanOrEqual(20)
    expect(first!.at(-1)!.pauseMs).toBeGreaterThanOrEqual(150)
    expect(second![0]!.startMs).toBe(first!.at(-1)!.endMs)
    expect([...first!, ...second!]).toHaveLength(4)
  })

  it('leaves no scrap of a window where another pause is near', () => {
    const track = ungated([
      [27_850, -20, 'talk'],
      // Too short for a pause, and the best place for an end that is no pause.
      [100, -60],
      [250, -20, 'talk'],
      [300, -60],
      [2_000, -20, 'talk'],
      [200, -60],
      [29_300, -20, 'talk'],
    ])
    expect(Math.abs(cutWindows(track)[0]!.endMs - 27_900)).toBeLessThanOrEqual(20)
    const [first] = cutShards(track, { targetMs: 30_000 })
    expect(Math.abs(first!.at(-1)!.endMs - 30_600)).toBeLessThanOrEqual(20)
  })

  it('ends shards where windows end when somebody never pauses', () => {
    const track = heard([[300_000, -20, 'talk']])
    const shards = cutShards(track, { targetMs: 75_000 })
    expect(shards.flat()).toEqual(cutWindows(track))
    expect(shards.map((shard) => shard.length)).toEqual([3, 2, 3, 3])
  })
})

describe('how long shards are', () => {
  const settings = { shardMs: 75_000, maxShards: 1000 }

  it.each([
    ['a short recording is one', [112_500], settings, Number.POSITIVE_INFINITY],
    ['so is one of two channels', [60_000, 52_500], settings, Number.POSITIVE_INFINITY],
    ['one without speech', [0, 0], settings, Number.POSITIVE_INFINITY],
    ['a longer one has the usual length', [112_501], settings, 75_000],
    ['ten hours too', [10 * HOUR], settings, 75_000],
    ['a day has longer ones than would be too many', [24 * HOUR], settings, (24 * HOUR) / 999],
    ['of several channels as well', [24 * HOUR, 0, 24 * HOUR], settings, (48 * HOUR) / 998],
    [
      'where not even each channel can have one, all is one',
      [HOUR, HOUR],
      { shardMs: 1, maxShards: 2 },
      Infinity,
    ],
  ])('%s', (_, speech, limits, expected) => {
    expect(shardTargetMs(speech, limits)).toBe(expected)
  })

  it('are never more than allowed, however the speech is spread over channels', () => {
    const random = randomFrom(1)
    const wrong = Array.from({ length: 2_000 }, () => {
      const channels = Array.from({ length: 1 + Math.floor(random() * 8) }, () => random() ** 4 * 24 * HOUR)
      const limits = { shardMs: 1_000 + random() * 600_000, maxShards: 1 + Math.floor(random() ** 3 * 1_000) }
      const targetMs = shardTargetMs(channels, limits)
      const count = channels.reduce((sum, ms) => sum + shardCount(ms, targetMs), 0)
      return { channels, limits, allowed: targetMs === Number.POSITIVE_INFINITY || count <= limits.maxShards }
    }).filter(({ allowed }) => !allowed)
    expect(wrong).toEqual([])
  })

  it('are never more than allowed for eight channels of 24 h', () => {
    const track = sentences(11_500, Array(7_200).fill(500))
    expect(track.durationMs).toBe(24 * HOUR)
    const windows = cutWindows(track)
    const targetMs = shardTargetMs(Array(8).fill(speechMs(windows)), settings)
    const count = cutShards(track, { targetMs, windows }).length
    expect(8 * count).toBeLessThanOrEqual(1000)
    expect(8 * count).toBeGreaterThan(950)
  })
})

describe('seams', () => {
  const window = (startMs: number, endMs: number, pauseMs: number) => ({ startMs, endMs, pauseMs })

  it.each([
    ['none in nothing', [], []],
    ['where two meet without a pause', [window(0, 10, 0), window(10, 20, 0), window(20, 30, 0)], [10, 20]],
    ['in too short a pause', [window(0, 10, SEAM_PAUSE_MS - 1), window(10, 20, 0)], [10]],
    ['not in a pause', [window(0, 10, SEAM_PAUSE_MS), window(10, 20, 0)], []],
    ['not where something lies between', [window(0, 10, 0), window(11, 20, 0)], []],
    ['not after the last one', [window(0, 10, 0)], []],
  ])('are %s', (_, windows, expected) => {
    expect(seamsOf(windows)).toEqual(expected)
  })

  it('are in order for the windows of shards, and none of them is where a window was cut in two', () => {
    const track = ungated(
      repeated(20, [
        [30_000, -20, 'talk'],
        [SEAM_PAUSE_MS + 100, -60],
      ]),
    )
    const shards = cutShards(track, { targetMs: 60_000 })
    const seams = seamsOf(shards.flat())
    expect(seams.length).toBeGreaterThanOrEqual(20)
    expect(seams).toEqual(seams.toSorted((a, b) => a - b))
    const ends = shards.map((shard) => shard.at(-1)!.endMs)
    expect(seams.filter((atMs) => ends.includes(atMs))).toEqual([])
  })
})
