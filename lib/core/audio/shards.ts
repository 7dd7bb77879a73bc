import { type Boundary, chooseBoundaries } from './boundaries.ts'
import type { Region, VoiceTrack } from './voice.ts'
import { cutWindows, type Window } from './windows.ts'

/**
 * Around a cut in a shorter pause the sound is heard once more: it may be inside a word, and engines lose words that end
 * so close to the end of a window. Only cuts inside noise are in so short pauses. docs/adr/0014-shards.md
 */
export const SEAM_PAUSE_MS = 300

/** So much more than a shard's speech is not cut in two. */
const ONE_SHARD = 1.5

/** How much the engine has to hear: silence between windows costs nothing. */
export const speechMs = (windows: readonly Region[]): number =>
  windows.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)

/**
 * How much speech a shard of this recording has, given the speech of each of its channels: `shardMs`, or more where
 * there would be more than `maxShards` in all. Infinity: the recording is one shard, all channels in it.
 */
export function shardTargetMs(
  speech: readonly number[],
  { shardMs, maxShards }: { readonly shardMs: number; readonly maxShards: number },
): number {
  const totalMs = speech.reduce((sum, ms) => sum + ms, 0)
  // A channel has less than one shard more than its share of the total: `shardCount` rounds, and never to none.
  const shares = maxShards - speech.filter((ms) => ms > 0).length
  if (totalMs <= ONE_SHARD * shardMs || shares <= 0) return Number.POSITIVE_INFINITY
  return Math.max(shardMs, totalMs / shares)
}

/** How many shards a channel with so much speech has, at most. */
export const shardCount = (totalMs: number, targetMs: number): number =>
  Math.max(1, Math.ceil(totalMs / targetMs - (ONE_SHARD - 1)))

export interface ShardOptions {
  /** How much speech a shard has, about: `shardTargetMs`. */
  readonly targetMs: number
  /** The track's windows, where the caller has them already. */
  readonly windows?: readonly Window[]
}

/**
 * Groups one channel's windows, in order, into shards of about the same length. Shards end where windows end, at the
 * longest pauses within a third of a shard of where even shards would end; all ends are chosen together, as with
 * windows. Where no window there ends in a pause, but one has a pause inside, it is cut in two at that pause: a
 * shard ends inside unbroken speech only where nobody pauses. The same track gives the same shards, none of them
 * empty, and no more than the speech divided by the target, rounded (from 1.5 down to 1).
 */
export function cutShards(
  track: VoiceTrack,
  { targetMs, windows = cutWindows(track) }: ShardOptions,
): Window[][] {
  return grouped(windows, chooseBoundaries(windows, track, shardCount(speechMs(windows), targetMs)))
}

/** Where two neighbours meet in no pause worth the name, in order: ms in the recording. */
export function seamsOf(windows: readonly Omit<Window, 'index'>[], leastPauseMs = SEAM_PAUSE_MS): number[] {
  return windows
    .filter(({ endMs, pauseMs }, i) => endMs === windows[i + 1]?.startMs && pauseMs < leastPauseMs)
    .map(({ endMs }) => endMs)
}

/** The windows in shards that end there, numbered anew. */
function grouped(windows: readonly Window[], ends: readonly Boundary[]): Window[][] {
  const shards: Window[][] = []
  let shard: Window[] = []
  let index = 0
  let next = 0
  for (const [place, window] of windows.entries()) {
    let { startMs } = window
    for (; ends[next]?.place === place && ends[next]?.cut; next++) {
      const { endMs, startMs: restMs, pauseMs } = ends[next]!.cut!
      shards.push([...shard, { index: index++, startMs, endMs, pauseMs }])
      shard = []
      startMs = restMs
    }
    shard.push({ ...window, index: index++, startMs })
    if (ends[next]?.place !== place && place < windows.length - 1) continue
    shards.push(shard)
    shard = []
    next++
  }
  return shards
}
