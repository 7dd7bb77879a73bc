import { beforeAll, describe, expect, it } from '@jest/globals'
import { pausesWithin } from '../../../lib/core/audio/pauses.ts'
import { cutShards, shardCount, speechMs } from '../../../lib/core/audio/shards.ts'
import type { Region, VoiceTrack } from '../../../lib/core/audio/voice.ts'
import { cutWindows, type Window } from '../../../lib/core/audio/windows.ts'
import { randomFrom } from '../../support/random.ts'
import { anyTrack, uncovered } from './tracks.ts'

function sharded(seed: number) {
  const track = anyTrack(seed)
  const windows = cutWindows(track)
  const targetMs = 45_000 + Math.floor(randomFrom(seed + 1_000)() * 60_000)
  const shards = cutShards(track, { targetMs, windows })
  return { seed, track, windows, shards, targetMs, evenMs: speechMs(windows) / shards.length }
}

describe('any recording in shards', () => {
  let cases: readonly ReturnType<typeof sharded>[] = []
  beforeAll(() => {
    cases = Array.from({ length: 200 }, (_, seed) => sharded(seed))
  })
  /** For which seeds there is something wrong. */
  const seedsWith = (wrong: (one: ReturnType<typeof sharded>) => boolean) =>
    cases.filter(wrong).map(({ seed }) => seed)

  it('is tried in many numbers of shards, some with windows cut in two, some with cuts inside speech', () => {
    expect(cases.filter(({ shards }) => shards.length > 4).length).toBeGreaterThan(30)
    expect(
      cases.filter(({ shards, windows }) => shards.flat().length > windows.length).length,
    ).toBeGreaterThan(5)
    expect(cases.filter(({ shards }) => innerEnds(shards).some(isInSpeech)).length).toBeGreaterThan(5)
  })

  it('has all speech in windows that are in order, apart, short enough and numbered', () => {
    const wrong = seedsWith(({ track, shards }) => {
      const all = shards.flat()
      const misplaced = all.filter(
        ({ index, startMs, endMs }, i) =>
          index !== i ||
          !(Number.isInteger(startMs) && Number.isInteger(endMs)) ||
          endMs <= startMs ||
          endMs - startMs > 28_000 ||
          startMs < (all[i - 1]?.endMs ?? 0),
      )
      return misplaced.length > 0 || track.regions.some((region) => uncovered(region, all) > 0)
    })
    expect(wrong).toEqual([])
  })

  it('has the windows that it has uncut, but those that are cut in two where a shard ends', () => {
    const wrong = seedsWith(({ windows, shards }) => {
      const starts = new Set(windows.map(({ startMs }) => startMs))
      const ends = new Set(windows.map(({ endMs }) => endMs))
      const inner = shards.flatMap((shard) => [
        ...shard.slice(1).filter(({ startMs }) => !starts.has(startMs)),
        ...shard.slice(0, -1).filter(({ endMs }) => !ends.has(endMs)),
      ])
      const all = shards.flat()
      const kept = windows.filter(
        (window) =>
          all.some(({ startMs }) => startMs === window.startMs) &&
          all.some(({ endMs, pauseMs }) => endMs === window.endMs && pauseMs === window.pauseMs),
      )
      return inner.length > 0 || kept.length < windows.length
    })
    expect(wrong).toEqual([])
  })

  it('has no empty shard, as many as it should, and the same ones the next time', () => {
    const wrong = seedsWith(
      ({ seed, track, windows, shards, targetMs }) =>
        shards.some((shard) => shard.length === 0) ||
        shards.length !== (windows.length === 0 ? 0 : shardCount(speechMs(windows), targetMs)) ||
        (seed < 20 && JSON.stringify(cutShards(track, { targetMs })) !== JSON.stringify(shards)),
    )
    expect(wrong).toEqual([])
  })

  it('ends no shard inside speech where somebody pauses within a third of a shard', () => {
    const wrong = seedsWith(({ track, windows, shards, evenMs }) => {
      const pauses = pausesOf(track).map((pause) => spokenBefore(windows, (pause.startMs + pause.endMs) / 2))
      return innerEnds(shards).some((end, i) => {
        const evenEnd = (i + 1) * evenMs
        // A few ms at the rims of the reach may be reckoned otherwise there.
        return isInSpeech(end) && pauses.some((atMs) => Math.abs(atMs - evenEnd) < evenMs / 3 - 500)
      })
    })
    expect(wrong).toEqual([])
  })

  it('has no shard under a third or over five thirds of their mean, give or take a window cut in two', () => {
    const wrong = seedsWith(({ shards, evenMs }) =>
      lengths(shards).some((ms) => ms < evenMs / 3 - 1_000 || ms > (evenMs * 5) / 3 + 1_000),
    )
    expect(wrong).toEqual([])
  })

  it('has shards of two to four thirds of their mean where there are pauses near enough to even ends', () => {
    const possible = cases.filter(({ windows, shards, evenMs }) => {
      const ends = windows.filter((end) => !isInSpeech(end)).map(({ endMs }) => spokenBefore(windows, endMs))
      return innerEnds(shards).every((_, i) =>
        ends.some((atMs) => Math.abs(atMs - (i + 1) * evenMs) <= evenMs / 6),
      )
    })
    expect(possible.filter(({ shards }) => shards.length > 1).length).toBeGreaterThan(30)
    const wrong = possible.filter(({ shards, evenMs }) =>
      lengths(shards).some((ms) => ms < (evenMs * 2) / 3 || ms > (evenMs * 4) / 3),
    )
    expect(wrong.map(({ seed }) => seed)).toEqual([])
  })

  it('loses and doubles nothing when shards are shorter than windows', () => {
    const wrong = seedsWith(({ track, windows, seed }) => {
      const targetMs = 2_000 + seed * 100
      const shards = cutShards(track, { targetMs, windows })
      const all = shards.flat()
      return (
        shards.length > shardCount(speechMs(windows), targetMs) ||
        shards.some((shard) => shard.length === 0) ||
        all.some(({ startMs, endMs }, i) => endMs <= startMs || startMs < (all[i - 1]?.endMs ?? 0)) ||
        track.regions.some((region) => uncovered(region, all) > 0)
      )
    })
    expect(wrong).toEqual([])
  })
})

const innerEnds = (shards: readonly Window[][]) => shards.slice(0, -1).map((shard) => shard.at(-1)!)
const isInSpeech = ({ pauseMs }: Window) => pauseMs < 150

/** All pauses of 150 ms, by the gate and by loudness. */
function pausesOf({ regions, level }: VoiceTrack): Region[] {
  const between = regions.slice(1).map(({ startMs }, i) => ({ startMs: regions[i]!.endMs, endMs: startMs }))
  const inside = regions.flatMap((region) =>
    pausesWithin(region, level, 150).filter(
      ({ startMs, endMs }) => startMs > region.startMs && endMs < region.endMs,
    ),
  )
  return [...between, ...inside]
}

const spokenBefore = (windows: readonly Region[], ms: number) =>
  windows.reduce((sum, { startMs, endMs }) => sum + Math.max(0, Math.min(endMs, ms) - startMs), 0)

const lengths = (shards: readonly Window[][]) => shards.map(speechMs)
