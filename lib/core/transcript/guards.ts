import { fold } from './fold.ts'
import type { HeardSegment, Word } from './shape.ts'
import { findWords } from './split.ts'

// Whisper's decoding thresholds (OpenAI whisper, transcribe.py: no_speech_threshold 0.6, logprob_threshold −1,
// compression_ratio_threshold 2.4), and one for text that the model itself hardly believes.
const NO_SPEECH = 0.6
const NO_SPEECH_LOGPROB = -1
const LOWEST_LOGPROB = -1.3
const HIGHEST_COMPRESSION = 2.4

const LOOP_WORDS = { fewest: 3, most: 6 }
const LOOP_TIMES = 3
const LOOP_SHARE = 0.8

const DROP_REASONS = ['empty', 'annotation', 'no-speech', 'low-confidence', 'repetitive'] as const
export type DropReason = (typeof DROP_REASONS)[number]

export interface Guarded {
  readonly kept: HeardSegment[]
  /** How many segments were dropped, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>
  /** How many were kept with a loop cut down to its phrase. */
  readonly loops: number
}

/**
 * Takes out what the engine most likely invented: text in silence, text it did not believe itself, text that
 * repeats itself, and annotations such as `[BLANK_AUDIO]` or `(music)`.
 *
 * A loop — a phrase of 3 to 6 words, three times or more in a row, at least 80 % of the words — is cut down to
 * the phrase said once, not dropped: a decoder that loops has nearly always heard the phrase and then failed to
 * go on, so the first time is speech and the rest is not. Its high compression ratio is a symptom and does not
 * count again; silence and disbelief do. A measure that is missing (NaN) never drops anything.
 */
export function guardSegments(segments: readonly HeardSegment[]): Guarded {
  const dropped = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>
  const kept: HeardSegment[] = []
  let loops = 0
  for (const heard of segments) {
    const segment = withoutLoop(heard)
    const reason = reasonToDrop(segment)
    if (reason) dropped[reason]++
    else kept.push(segment)
    if (!reason && segment !== heard) loops++
  }
  return { kept, dropped, loops }
}

function reasonToDrop({
  text,
  noSpeechProb,
  avgLogprob,
  compressionRatio,
}: HeardSegment): DropReason | undefined {
  if (/^[\s\p{P}\p{C}]*$/u.test(text)) return 'empty'
  if (!isSpoken(withoutAnnotations(text))) return 'annotation'
  if (noSpeechProb > NO_SPEECH && avgLogprob < NO_SPEECH_LOGPROB) return 'no-speech'
  if (avgLogprob < LOWEST_LOGPROB) return 'low-confidence'
  if (compressionRatio > HIGHEST_COMPRESSION) return 'repetitive'
  return undefined
}

const isSpoken = (text: string): boolean => /[\p{L}\p{N}]/u.test(text)

const withoutAnnotations = (text: string): string =>
  text.replace(/\[[^[\]]*\]|\([^()]*\)|（[^（）]*）|【[^【】]*】|\*[^*]*\*/g, ' ')

/** The segment with its loop said once, or the segment itself. */
function withoutLoop(segment: HeardSegment): HeardSegment {
  const words = segment.words
  const loop = findLoop(words.map(({ text }) => fold(text)))
  if (!loop) return segment
  const head = words.slice(0, loop.start + loop.length)
  const rest = words.slice(loop.end)
  const spans = findWords(segment.text, words)
  const textOf = (from: number, to: number): string =>
    spans ? segment.text.slice(spans[from]!.start, spans[to - 1]!.end) : joinWords(words.slice(from, to))
  const texts = [textOf(0, head.length), ...(rest.length > 0 ? [textOf(loop.end, words.length)] : [])]
  return {
    ...segment,
    endMs: rest.length > 0 ? segment.endMs : head.at(-1)!.endMs,
    text: texts.join(' '),
    words: [...head, ...rest],
    // Said n times, a phrase deflates to about the size of saying it once.
    compressionRatio: segment.compressionRatio / loop.times,
  }
}

const joinWords = (words: readonly Word[]): string => words.map(({ text }) => text).join(' ')

interface Loop {
  readonly start: number
  readonly length: number
  readonly times: number
  /** After the last repetition, a broken-off one included. */
  readonly end: number
}

function findLoop(keys: readonly string[]): Loop | undefined {
  for (let length = LOOP_WORDS.fewest; length <= LOOP_WORDS.most; length++) {
    for (let start = 0; start + length * LOOP_TIMES <= keys.length; start++) {
      let end = start + length
      while (end < keys.length && keys[end] === keys[end - length]) end++
      const times = Math.floor((end - start) / length)
      if (times >= LOOP_TIMES && end - start >= LOOP_SHARE * keys.length) return { start, length, times, end }
    }
  }
  return undefined
}
