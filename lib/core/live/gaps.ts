import type { Word } from '../transcript/shape.ts'

/** The place between two words. */
export interface Gap {
  readonly startMs: number
  readonly endMs: number
}

export const gapsOf = (words: readonly Word[]): Gap[] =>
  words.slice(1).map(({ startMs }, i) => {
    const { endMs } = words[i]!
    return { startMs: endMs, endMs: Math.max(endMs, startMs) }
  })

/** The parts of gaps that lie in a time. */
export function gapsIn(gaps: readonly Gap[], from: number, to: number): Gap[] {
  const found: Gap[] = []
  for (let i = firstEndingAfter(gaps, from); i < gaps.length && gaps[i]!.startMs <= to; i++) {
    found.push({ startMs: Math.max(from, gaps[i]!.startMs), endMs: Math.min(to, gaps[i]!.endMs) })
  }
  return found
}

/** By halving: a session of hours has thousands of words. */
function firstEndingAfter(gaps: readonly Gap[], ms: number): number {
  let [low, high] = [0, gaps.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (gaps[middle]!.endMs < ms) low = middle + 1
    else high = middle
  }
  return low
}

export const lengthOf = ({ startMs, endMs }: Gap): number => endMs - startMs
