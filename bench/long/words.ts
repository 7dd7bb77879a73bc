import { wordErrors } from '../../test/support/wer.ts'
import type { Timed } from '../live/align.ts'

/** A pause so long that no word is thought to be on the other side of its middle. */
const PAUSE_MS = 2_000

/** Moments in the long pauses of what is said. */
export function pausesIn(words: readonly Timed[]): number[] {
  const ends = words.map(({ endMs }) => endMs)
  return words.flatMap(({ startMs }, i) => {
    const before = i === 0 ? startMs : ends[i - 1]!
    return startMs - before >= PAUSE_MS ? [(before + startMs) / 2] : []
  })
}

/**
 * Word errors of one text against another, piece by piece: hours at once would take a table of 10^9 cells. `cuts` are
 * moments of silence in both.
 */
export function errorsBetween(
  said: readonly Timed[],
  heard: readonly Timed[],
  cuts: readonly number[],
): number {
  const edges = [Number.NEGATIVE_INFINITY, ...cuts, Number.POSITIVE_INFINITY]
  const [one, other] = [said, heard].map((words) => textsBetween(words, edges))
  return one!.reduce((sum, text, i) => sum + wordErrors(text, other![i]!).errors, 0)
}

/** What lies between each two edges, by the middle of each word. Words are in the order of time, but for small slips. */
function textsBetween(words: readonly Timed[], edges: readonly number[]): string[] {
  const texts: string[][] = edges.slice(1).map(() => [])
  for (const { text, startMs, endMs } of words) {
    const middle = (startMs + endMs) / 2
    texts[lastBefore(edges, middle)]!.push(text)
  }
  return texts.map((text) => text.join(' '))
}

/** Place of the last edge that is not after `ms`. */
function lastBefore(edges: readonly number[], ms: number): number {
  let [low, high] = [0, edges.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (edges[middle]! <= ms) low = middle
    else high = middle
  }
  return low
}
