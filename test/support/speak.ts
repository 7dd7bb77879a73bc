import {
  type Reference,
  readReference,
  type SampleName,
  type SpokenSentence,
  samplePath,
} from './reference.ts'
import { readWav } from './wav.ts'

export { readWav, wavBytes, writeWav } from './wav.ts'

// Fresh recordings for tests, put together from the sentences of the shipped samples, so that every word and its
// time is known and no synthesizer is needed. All sound here is 16 kHz mono, 16 bit.

export const SAMPLE_RATE = 16_000

/** The synthesizer's output is trimmed to 20 ms around the speech; 1 ms more for the rounding of the reference. */
const MARGIN_MS = 21

const at = (ms: number): number => Math.round((ms * SAMPLE_RATE) / 1000)

/** The samples from `fromMs` to `toMs`, clipped to what is there. */
export const slice = (pcm16: Int16Array, fromMs: number, toMs: number): Int16Array =>
  pcm16.slice(at(Math.max(0, fromMs)), at(Math.max(0, toMs)))

export const silence = (ms: number): Int16Array => new Int16Array(at(ms))

/** White noise with an RMS of `dbfs` (0: a full-scale square wave); the same for the same seed. */
export function noise(ms: number, dbfs: number, seed: number): Int16Array {
  const random = seeded(seed)
  // A uniform distribution over [-a, a] has an RMS of a / sqrt(3).
  const amplitude = 32_767 * 10 ** (dbfs / 20) * Math.sqrt(3)
  return Int16Array.from({ length: at(ms) }, () => clip((random() * 2 - 1) * amplitude))
}

/** One after the other, with `gapMs` of silence between them. */
export function concat(parts: readonly Int16Array[], gapMs = 0): Int16Array {
  const gap = at(gapMs)
  const length = parts.reduce((sum, part) => sum + part.length, 0) + gap * Math.max(0, parts.length - 1)
  const whole = new Int16Array(length)
  let place = 0
  for (const part of parts) {
    whole.set(part, place)
    place += part.length + gap
  }
  return whole
}

/** Both at once, as long as the longer one. */
export function mix(one: Int16Array, other: Int16Array): Int16Array {
  const length = Math.max(one.length, other.length)
  return Int16Array.from({ length }, (_, i) => clip((one[i] ?? 0) + (other[i] ?? 0)))
}

/**
 * The sentences of `meeting60` that the mini model hears right, each alone and in random orders. Found with
 * whisper-server 1.9.1 (`-bs 5 -mc 64 -et 2.8 -sns`): each alone with six different gaps around it, no error in any;
 * 320 random rows of 2 to 8 sentences with gaps of 0.3 to 1.6 s, up to 27 s long: 318 without an error. Both errors
 * were in sentence 3 ("Thank you, David."), so it is left out. No sentence is safe whatever is around it: without
 * sentence 3 two longer rows (5 and 8 sentences) still lost or repeated their end. None of the 142 rows of up to
 * four sentences was wrong; past 30 s, one row in four was. A row is heard alike every time: try yours once.
 */
export const SAFE_SENTENCES: readonly number[] = [
  0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
]

/** A sentence of a sample (by its number in the reference, from 0), or silence. */
export type Part =
  | { readonly sentence: number; readonly sample?: 'short' | 'meeting60' }
  | { readonly gapMs: number }

/**
 * Sentences and gaps in a row. The reference's times are those of the result. Between a part's edge and its first
 * or last word lie about 20 ms, so a gap is heard 40 ms longer than it says.
 */
export function compose(parts: readonly Part[]): { pcm16: Int16Array; reference: Reference } {
  const pieces: Int16Array[] = []
  const sentences: SpokenSentence[] = []
  let length = 0
  const append = (piece: Int16Array): void => {
    pieces.push(piece)
    length += piece.length
  }
  for (const part of parts) {
    if ('gapMs' in part) {
      append(silence(part.gapMs))
    } else {
      const { sentence, startMs, pcm16 } = speech(part.sentence, part.sample ?? 'meeting60')
      sentences.push(shift(sentence, (length / SAMPLE_RATE) * 1000 - startMs))
      append(pcm16)
    }
  }
  const text = sentences.map((sentence) => sentence.text).join(' ')
  const durationMs = Math.round((length / SAMPLE_RATE) * 1000)
  return { pcm16: concat(pieces), reference: { text, durationMs, sentences } }
}

/** One sentence cut out of a sample; `startMs` is where the cut was made. */
function speech(number: number, sample: SampleName) {
  const sentence = readReference(sample).sentences[number]
  if (!sentence) throw new Error(`${sample} has no sentence ${number}`)
  const startMs = Math.max(0, sentence.startMs - MARGIN_MS)
  const pcm16 = slice(readWav(samplePath(sample)).pcm16, startMs, sentence.endMs + MARGIN_MS)
  return { sentence, startMs, pcm16 }
}

function shift(sentence: SpokenSentence, byMs: number): SpokenSentence {
  const moved = <T extends { readonly startMs: number; readonly endMs: number }>(thing: T): T => ({
    ...thing,
    startMs: Math.round(thing.startMs + byMs),
    endMs: Math.round(thing.endMs + byMs),
  })
  return { ...moved(sentence), words: sentence.words.map(moved) }
}

const clip = (value: number): number => Math.max(-32_768, Math.min(32_767, Math.round(value)))

/** Numbers in [0, 1) from a linear congruential generator (constants of Numerical Recipes, 2nd ed., section 7.1). */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
