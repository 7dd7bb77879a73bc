import { fold } from './fold.ts'
import type { Word } from './shape.ts'

/** The engine may be so far off about when the same word was said. */
const SAME_MS = 500

/** Of two places for a word the nearer one; but any place rather than none. */
const FAR_OFF = 0.4

/** A range of places: `from` and on, `to` no more. */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * Pairs of places of the same word in two hearings, in order: the longest common subsequence, of several the one whose
 * times agree best. Of `heard` only a range of places counts.
 */
export function pairWords(
  told: readonly Word[],
  heard: readonly Word[],
  { from, to }: Range,
): Array<[number, number]> {
  const width = heard.length + 1
  const scores = new Float64Array((told.length + 1) * width)
  for (const [i, word] of told.entries())
    for (let j = 0; j < heard.length; j++) {
      const [here, below] = [i * width + j, (i + 1) * width + j]
      const gain = j >= from && j < to ? likeness(word, heard[j]!) : 0
      const skipped = Math.max(scores[here + 1]!, scores[below]!)
      scores[below + 1] = gain > 0 ? Math.max(skipped, scores[here]! + gain) : skipped
    }
  const pairs: Array<[number, number]> = []
  for (let i = told.length, j = heard.length; i > 0 && j > 0; ) {
    const score = scores[i * width + j]!
    if (score === scores[(i - 1) * width + j]!) i--
    else if (score === scores[i * width + j - 1]!) j--
    else pairs.unshift([--i, --j])
  }
  return pairs
}

/** 0: not the same word; 1: the same at the same time. */
function likeness(one: Word, other: Word): number {
  const offMs = Math.min(Math.abs(one.startMs - other.startMs), Math.abs(one.endMs - other.endMs))
  if (offMs > SAME_MS || fold(one.text) !== fold(other.text)) return 0
  return 1 - (FAR_OFF * offMs) / SAME_MS
}
