import { foldedWords } from '../../test/support/wer.ts'

export interface Timed {
  readonly text: string
  readonly startMs: number
  readonly endMs: number
}

/** Every word of the texts by itself, folded, with whatever else the entries carry. */
export const folded = <T extends { readonly text: string }>(words: readonly T[]): T[] =>
  words.flatMap((word) => foldedWords(word.text).map((text) => ({ ...word, text })))

/** An engine may be so far off about when a word was said. Another place of the same word is further away, mostly. */
export const LEEWAY_MS = 2_000

/**
 * For each said word the place of the heard one that it is, -1 where there is none: the longest common subsequence of
 * folded words, in which words are the same that are equal and begin within 2 s of each other.
 */
export function matchWords(said: readonly Timed[], heard: readonly Timed[]): number[] {
  const width = heard.length + 1
  /** Row i, column j: how many of the first i said and the first j heard words are the same. */
  const counts = new Uint16Array((said.length + 1) * width)
  const same = (i: number, j: number): boolean =>
    said[i]!.text === heard[j]!.text && Math.abs(said[i]!.startMs - heard[j]!.startMs) <= LEEWAY_MS
  for (let i = 0; i < said.length; i++) {
    for (let j = 0; j < heard.length; j++) {
      const [here, below] = [i * width + j, (i + 1) * width + j]
      counts[below + 1] = same(i, j) ? counts[here]! + 1 : Math.max(counts[here + 1]!, counts[below]!)
    }
  }
  const matches = said.map(() => -1)
  for (let i = said.length - 1, j = heard.length - 1; i >= 0 && j >= 0; ) {
    if (same(i, j)) matches[i--] = j--
    else if (counts[i * width + j + 1]! >= counts[(i + 1) * width + j]!) i--
    else j--
  }
  return matches
}
