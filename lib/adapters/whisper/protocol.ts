import { deflateSync } from 'node:zlib'
import * as z from 'zod'
import { VerbatimError } from '../../core/errors.ts'
import type { HeardSegment } from '../../core/transcript/shape.ts'
import { wordsFromTokens } from '../../core/transcript/words.ts'

// What whisper-server answers (whisper.cpp v1.9.3, examples/server/server.cpp, verbose_json). Times in seconds.

const Token = z.object({
  word: z.string(),
  start: z.number().optional(),
  end: z.number().optional(),
  probability: z.number(),
})

const ServerSegment = z.object({
  start: z.number(),
  end: z.number(),
  text: z.string(),
  /** Missing where the segment has no token of text. */
  words: z.array(Token).default([]),
  /** Null where the server divided by zero. */
  avg_logprob: z.number().nullable(),
  no_speech_prob: z.number().nullable(),
})

const Transcription = z.object({ segments: z.array(ServerSegment) })
const Detection = z.object({ language_probabilities: z.record(z.string(), z.number()) })

/** Worse than any threshold in use, for a segment whose tokens have no probability. */
const NO_LOGPROB = -10

/** The text of a reply as segments, clipped to the sound's true length: the padding has nothing to say. */
export function heardSegments(reply: string, durationMs: number, language: string): HeardSegment[] {
  const { segments } = parse(Transcription, reply)
  return segments
    .map((segment) => heardSegment(segment, durationMs, language))
    .filter((segment) => segment.text !== '' && segment.startMs < durationMs)
}

function heardSegment(
  segment: z.infer<typeof ServerSegment>,
  durationMs: number,
  language: string,
): HeardSegment {
  const ms = (seconds: number) => Math.min(durationMs, Math.max(0, Math.round(seconds * 1000)))
  const text = segment.text.trim()
  const startMs = ms(segment.start)
  const endMs = Math.max(startMs, ms(segment.end))
  const tokens = segment.words.map(({ word, start = segment.start, end = segment.end, probability }) => ({
    text: word,
    startMs: ms(start),
    endMs: Math.max(ms(start), ms(end)),
    probability,
  }))
  return {
    startMs,
    endMs,
    text,
    words: wordsFromTokens(tokens, { startMs, endMs, text, language }),
    avgLogprob: segment.avg_logprob ?? NO_LOGPROB,
    noSpeechProb: segment.no_speech_prob ?? 0,
    compressionRatio: compressionRatio(text),
  }
}

/** The most probable language of a reply, by whisper's code. */
export function likeliestLanguage(reply: string): { language: string; probability: number } {
  const { language_probabilities: probabilities } = parse(Detection, reply)
  const [best] = Object.entries(probabilities).sort(([, a], [, b]) => b - a)
  if (!best) throw unreadable()
  return { language: best[0], probability: best[1] }
}

/** OpenAI whisper's `compression_ratio`: UTF-8 bytes over their size in zlib's format. */
export function compressionRatio(text: string): number {
  const bytes = Buffer.from(text, 'utf8')
  return bytes.length / deflateSync(bytes).length
}

/** The server answers 200 to much: what counts is whether the reply has the right shape. */
function parse<T>(schema: z.ZodType<T>, reply: string): T {
  try {
    return schema.parse(JSON.parse(reply))
  } catch {
    throw unreadable() // without the cause: it could quote what was said
  }
}

const unreadable = () =>
  new VerbatimError('engine-crashed', 'The engine answered something that is no transcript.')
