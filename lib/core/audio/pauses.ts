import { FRAME_MS, type Level } from './levels.ts'
import type { Region } from './voice.ts'

/** A stretch without speech, ms in the recording. */
export interface Pause {
  readonly startMs: number
  readonly endMs: number
}

/** Loudness is compared with that of the blocks around, this many on each side: 2.5 s in all. */
const BLOCK_MS = 500
const BLOCKS_AROUND = 2

/** A pause is in the lowest quarter of the loudness around it, or at most this far above the least (dB). */
const QUIET_SHARE = 0.25
const QUIET_DB = 3

/**
 * The pauses of at least `leastMs` inside a region, by loudness alone: where noise or music keeps the gate open,
 * or where a pause is shorter than the padding of the gate.
 */
export function pausesWithin(region: Region, level: Level, leastMs: number): Pause[] {
  const limits = quietLimits(region, level)
  const pauses: Pause[] = []
  let fromMs = -1
  const close = (toMs: number) => {
    if (fromMs >= 0 && toMs - fromMs >= leastMs) pauses.push({ startMs: fromMs, endMs: toMs })
    fromMs = -1
  }
  for (let ms = region.startMs; ms < region.endMs; ms += FRAME_MS) {
    const quiet = level(ms) <= limits[Math.floor((ms - region.startMs) / BLOCK_MS)]!
    if (quiet && fromMs < 0) fromMs = ms
    if (!quiet) close(ms)
  }
  close(region.endMs)
  return pauses
}

/** For each block of the region, the level below which it is quiet there. */
function quietLimits({ startMs, endMs }: Region, level: Level): number[] {
  const least: number[] = []
  const most: number[] = []
  for (let from = startMs; from < endMs; from += BLOCK_MS) {
    const levels = levelsIn({ startMs: from, endMs: Math.min(from + BLOCK_MS, endMs) }, level)
    least.push(Math.min(...levels))
    most.push(Math.max(...levels))
  }
  return least.map((_, i) => {
    const [from, to] = [Math.max(0, i - BLOCKS_AROUND), i + BLOCKS_AROUND + 1]
    const low = Math.min(...least.slice(from, to))
    const high = Math.max(...most.slice(from, to))
    return low + Math.max(QUIET_DB, (high - low) * QUIET_SHARE)
  })
}

/** Three frames, 60 ms: shorter is the closure of a consonant. */
const DIP_FRAMES = 3

/** The quietest moment of each block of a region: where to cut somebody who does not pause. Louder is worse. */
export function dipsWithin({ startMs, endMs }: Region, level: Level): { atMs: number; level: number }[] {
  const dips: { atMs: number; level: number }[] = []
  for (let from = startMs; from + BLOCK_MS <= endMs; from += BLOCK_MS) {
    const levels = levelsIn({ startMs: from, endMs: from + BLOCK_MS }, level)
    let best = { atMs: from, level: Number.POSITIVE_INFINITY }
    for (let i = 0; i + DIP_FRAMES <= levels.length; i++) {
      const mean = levels.slice(i, i + DIP_FRAMES).reduce((sum, db) => sum + db, 0) / DIP_FRAMES
      const atMs = from + i * FRAME_MS + Math.floor((DIP_FRAMES * FRAME_MS) / 2)
      if (mean < best.level) best = { atMs, level: mean }
    }
    dips.push(best)
  }
  return dips
}

function levelsIn({ startMs, endMs }: Region, level: Level): number[] {
  const levels: number[] = []
  for (let ms = startMs; ms < endMs; ms += FRAME_MS) levels.push(level(ms))
  return levels
}
