import { fold } from '../transcript/fold.ts'
import type { Word } from '../transcript/shape.ts'

/** So far (ms) the end of the known words may be from where the engine now hears it to weigh as much as a wrong word. */
const A_WORD_MS = 1_000

/**
 * How many of the heard words are the known ones said again, when a window begins before the place up to which words
 * are settled. `known` are the final words inside the window, `heard` the window's words, `seamMs` the end of the
 * last known word.
 *
 * Neither times nor text alone can tell: whisper's times are off by some 100 ms, so a word would be lost or doubled
 * now and then; and people do say things twice. So it is the prefix that is the cheapest to explain: word edits
 * against the known ones (Levenshtein) plus a word's worth for each second between its end and the seam.
 */
export function saidBefore(known: readonly Word[], heard: readonly Word[], seamMs: number): number {
  const edits = editsByPrefix(
    known.map(({ text }) => fold(text)),
    heard.map(({ text }) => fold(text)),
  )
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (const [count, edit] of edits.entries()) {
    const cost = edit + distanceMs(heard, count, seamMs) / A_WORD_MS
    if (cost >= least) continue
    least = cost
    best = count
  }
  return best
}

/** Whole sentences are said again by a decoder that loops. */
const LONGEST_REPEAT = 8
/** A word that is said again cannot begin before the first time has ended, but for what times are off. */
const OFF_MS = 100

/**
 * How many words at the head of `fresh` repeat the end of `known` in the same place of the sound: the engine said a
 * phrase twice around the seam. What is said again after the seam is speech.
 */
export function repeatedAtSeam(known: readonly Word[], fresh: readonly Word[], seamMs: number): number {
  const last = Math.min(LONGEST_REPEAT, known.length, fresh.length)
  for (let count = last; count > 0; count--) {
    const said = known.slice(-count)
    const same = said.every(({ text }, i) => fold(text) === fold(fresh[i]!.text))
    if (same && fresh[0]!.startMs < seamMs - OFF_MS) return count
  }
  return 0
}

/** How far the seam is from the gap between the first `count` words and the others. */
function distanceMs(words: readonly Word[], count: number, seamMs: number): number {
  const before = words[count - 1]?.endMs ?? seamMs
  const after = words[count]?.startMs ?? seamMs
  return Math.max(0, before - seamMs, seamMs - after)
}

/** Levenshtein's distance of `known` to each prefix of `heard`, the empty one first. */
function editsByPrefix(known: readonly string[], heard: readonly string[]): number[] {
  let row = Array.from({ length: heard.length + 1 }, (_, count) => count)
  for (const word of known) {
    const next = [row[0]! + 1]
    for (const [i, other] of heard.entries())
      next.push(Math.min(row[i]! + (word === other ? 0 : 1), row[i + 1]! + 1, next[i]! + 1))
    row = next
  }
  return row
}
