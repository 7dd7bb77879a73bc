import * as z from 'zod'

/** One word with its times in the recording. `text` has no surrounding space. */
export const Word = z.object({
  text: z.string(),
  startMs: z.int(),
  endMs: z.int(),
  /** 0..1, the lowest of the word's tokens. */
  probability: z.number(),
})
export type Word = z.infer<typeof Word>

/** A caption as the engine spoke it: one sentence or so. */
export const Segment = z.object({
  /** Stable inside one transcript: its place, from 0. */
  id: z.int(),
  startMs: z.int(),
  endMs: z.int(),
  text: z.string(),
  /** Who spoke: a name where one is known, else `channel-1`, `channel-2`, … for separated channels. */
  speaker: z.string().optional(),
  words: z.array(Word),
})
export type Segment = z.infer<typeof Segment>

/** A stretch of one channel that nobody could transcribe. */
export const Gap = z.object({
  startMs: z.int(),
  endMs: z.int(),
  /** From 0; only where channels were heard apart. */
  channel: z.int().optional(),
  /** Why, in the words of the error table. */
  code: z.string(),
})
export type Gap = z.infer<typeof Gap>

/** How the transcript was made. */
export const Statistics = z.object({
  /** Pieces that were heard side by side; 1: the recording in one piece. */
  shards: z.int(),
  /** Requests' worth of sound, of 28 s at most. */
  windows: z.int(),
  /** Places where windows meet and nobody paused: heard again, and where the two sides disagreed, mended. */
  seams: z.object({ checked: z.int(), repaired: z.int() }),
})
export type Statistics = z.infer<typeof Statistics>

/** The name and version of this shape; a reader may rely on fields never changing their meaning within `1.x`. */
export const TRANSCRIPT_FORMAT = 'verbatim-transcript/1.0'

export const Transcript = z.object({
  format: z.literal(TRANSCRIPT_FORMAT),
  jobId: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime(),
  /** Length of the recording. */
  durationMs: z.int(),
  /** `code` is whisper's two- or three-letter code; `probability` only where it was detected. Null: nothing spoken. */
  language: z
    .object({ code: z.string(), detected: z.boolean(), probability: z.number().optional() })
    .nullable(),
  engine: z.object({ name: z.string(), version: z.string(), model: z.string() }),
  /** The whole text, segments joined by a space. */
  text: z.string(),
  segments: z.array(Segment),
  /** What the reader should know: `truncated` (the file ended early), `partial` (see `gaps`), … */
  warnings: z.array(z.string()),
  /** Absent where nothing is missing. */
  gaps: z.array(Gap).optional(),
  /** Absent in transcripts of before it was counted. */
  statistics: Statistics.optional(),
})
export type Transcript = z.infer<typeof Transcript>

/** What the engine heard in one window, times relative to the window's start. */
export interface HeardSegment {
  readonly startMs: number
  readonly endMs: number
  readonly text: string
  readonly words: readonly Word[]
  /** Mean log probability of the tokens. */
  readonly avgLogprob: number
  /** Probability that nothing was said, 0..1. */
  readonly noSpeechProb: number
  /** UTF-8 bytes of the text over their deflated size; above 2.4 it repeats itself (OpenAI whisper's threshold). */
  readonly compressionRatio: number
}
