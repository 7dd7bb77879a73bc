import { type Region, voicedMs } from '../audio/voice.ts'
import { guardSegments } from '../transcript/guards.ts'
import type { HeardSegment, Word } from '../transcript/shape.ts'
import { shift } from '../transcript/shift.ts'
import { repeatedAtSeam, saidBefore } from './seam.ts'

/** What a window gave, on the session's clock. */
export interface Heard {
  /** Those that passed the guards. */
  readonly segments: readonly HeardSegment[]
  /** Their words, less those that were final before; none begins before the one before it has ended. */
  readonly words: readonly Word[]
  /** Text was dropped that the engine looped on or did not believe itself. */
  readonly guarded: boolean
}

/** Text whose times lie this far from any sound was made up; whisper's times are off by some 100 ms. */
const NEAR_SOUND_MS = 300

/**
 * Takes over what the engine heard in a window, times from the window's start, when `final` words are known: without
 * what the guards drop, without text where nothing sounds, and without the words that are known already.
 */
export function takeHeard(
  window: Region,
  segments: readonly HeardSegment[],
  regions: readonly Region[],
  final: readonly Word[],
): Heard {
  const { kept, dropped, loops } = guardSegments(segments)
  const sounding = kept
    .map((segment) => shift(segment, window.startMs))
    .filter(({ startMs, endMs }) => voicedMs(regions, startMs - NEAR_SOUND_MS, endMs + NEAR_SOUND_MS) > 0)
  const known = final.filter((word) => middleMs(word) > window.startMs)
  return {
    segments: sounding,
    words: newWords(
      known,
      sounding.flatMap(({ words }) => words),
    ),
    guarded: loops + dropped['low-confidence'] + dropped.repetitive > 0,
  }
}

export const middleMs = ({ startMs, endMs }: Region): number => (startMs + endMs) / 2

function newWords(known: readonly Word[], heard: readonly Word[]): Word[] {
  const seamMs = known.at(-1)?.endMs
  if (seamMs === undefined) return inOrder(heard, 0)
  const fresh = heard.slice(saidBefore(known, heard, seamMs))
  return inOrder(fresh.slice(repeatedAtSeam(known, fresh, seamMs)), seamMs)
}

function inOrder(words: readonly Word[], fromMs: number): Word[] {
  let atMs = fromMs
  return words.map((word) => {
    const startMs = Math.max(atMs, word.startMs)
    atMs = Math.max(startMs + 1, word.endMs)
    return { ...word, startMs, endMs: atMs }
  })
}
