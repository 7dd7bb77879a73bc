import { BEGINNING, type HearingState } from '../../../lib/core/live/state.ts'
import type { HeardSegment, Word } from '../../../lib/core/transcript/shape.ts'

/** Where a session's hearing stands; left out: as at its beginning. */
export const hearingAt = (state: Partial<HearingState> = {}): HearingState => ({
  ...BEGINNING.hearing,
  ...state,
})

/** Words in a row from `startMs` on, `eachMs` long. */
export const wordsOf = (text: string, startMs: number, eachMs = 300, probability = 0.9): Word[] =>
  text.split(' ').map((word, i) => ({
    text: word,
    startMs: startMs + i * eachMs,
    endMs: startMs + (i + 1) * eachMs,
    probability,
  }))

/** A segment as the engine gives it: times from the window's start. */
export function segmentOf(words: readonly Word[], measures: Partial<HeardSegment> = {}): HeardSegment {
  return {
    startMs: words[0]?.startMs ?? 0,
    endMs: words.at(-1)?.endMs ?? 0,
    text: words.map(({ text }) => text).join(' '),
    words,
    ...{ avgLogprob: -0.1, noSpeechProb: 0.01, compressionRatio: 1, ...measures },
  }
}

export const textOf = (words: readonly Word[]): string => words.map(({ text }) => text).join(' ')
