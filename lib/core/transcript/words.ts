import { alignTokens, type Placed, type Token } from './align.ts'
import type { Word } from './shape.ts'
import { splitWords } from './split.ts'
import { fitTimes } from './times.ts'

export type { Token } from './align.ts'

export interface TokenSegment {
  readonly startMs: number
  readonly endMs: number
  readonly text: string
  /** Whisper's code; chooses the dictionary for scripts without spaces. */
  readonly language?: string
}

/**
 * The words of a segment, made from the engine's tokens. The text decides what the words are (see `splitWords`):
 * they hold every visible character of it once, so the words with the white space between them are the text. The
 * tokens give the times (a word inside a token gets its share by length) and the probability: the lowest of the
 * word's tokens that carry letters or digits, 0 where the engine gave no token for it.
 * All times are milliseconds on the same clock; the result is in order, inside the segment, each word at least
 * 1 ms long.
 */
export function wordsFromTokens(tokens: readonly Token[], segment: TokenSegment): Word[] {
  const { text, language } = segment
  const placed = alignTokens(tokens, text, segment)
  let first = 0
  const rough = splitWords(text, language).map((span) => {
    while (first < placed.length && placed[first]!.to <= span.start) first++
    const own: Placed[] = []
    for (let i = first; i < placed.length && placed[i]!.from < span.end; i++) own.push(placed[i]!)
    return {
      text: text.slice(span.start, span.end),
      startMs: timeAt(own[0]!, span.start),
      endMs: timeAt(own.at(-1)!, span.end),
      probability: probabilityOf(own),
    }
  })
  return fitTimes(rough, segment)
}

function timeAt({ from, to, startMs, endMs }: Placed, at: number): number {
  const share = Math.min(1, Math.max(0, (at - from) / (to - from)))
  return startMs + (endMs - startMs) * share
}

function probabilityOf(placed: readonly Placed[]): number {
  const spoken = placed.filter((token) => token.spoken)
  const counted = spoken.length > 0 ? spoken : placed
  return Math.min(1, ...counted.map(({ probability }) => probability))
}

/** The words of a text nobody gave tokens for: the segment's time is shared by length. */
export const wordsFromText = (segment: TokenSegment): Word[] => wordsFromTokens([], segment)
