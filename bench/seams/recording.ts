import { randomFrom } from '../../test/support/random.ts'
import type { SpokenWord } from '../../test/support/reference.ts'
import { compose, concat, mix, noise, SAFE_SENTENCES, silence, slice } from '../../test/support/speak.ts'

/** How people talk in a recording: what a cutter finds hard is that they do not pause. */
export const STYLES = ['talk', 'breathless', 'noisy'] as const
export type Style = (typeof STYLES)[number]

export interface SeamRecording {
  readonly name: string
  /** 16 kHz mono. */
  readonly pcm16: Int16Array
  readonly durationMs: number
  /** All that is said, with the times of the synthesizer. */
  readonly words: readonly SpokenWord[]
}

/** About `seconds` of sentences in a random order; the same for the same seed and style. */
export function makeRecording(seed: number, style: Style, seconds: number): SeamRecording {
  const random = randomFrom(seed)
  const pause = pausesOf(style, random)
  const parts: Int16Array[] = []
  const words: SpokenWord[] = []
  let lengthMs = 0
  const append = (part: Int16Array): void => {
    parts.push(part)
    lengthMs += part.length / 16
  }
  append(silence(500))
  while (lengthMs < seconds * 1000) {
    const sentence = tight(SAFE_SENTENCES[Math.floor(random() * SAFE_SENTENCES.length)]!)
    words.push(...sentence.words.map((word) => later(word, lengthMs)))
    append(sentence.pcm16)
    append(silence(pause()))
  }
  append(silence(500))
  const clean = concat(parts)
  const pcm16 = style === 'noisy' ? mix(clean, rattle(clean.length / 16, seed, random)) : clean
  return { name: `${style}-${seed}`, pcm16, durationMs: Math.floor(pcm16.length / 16), words }
}

/** The mini model is at a loss when sentences follow each other faster; the cutter takes less than 150 ms for no pause. */
const BREATHLESS_MS = [100, 145] as const

/** Silence after a sentence, in ms. */
function pausesOf(style: Style, random: () => number): () => number {
  const between = (least: number, most: number) => Math.round(least + random() * (most - least))
  if (style === 'talk') return () => (random() < 0.05 ? between(2_000, 9_000) : between(150, 1_500))
  // Somebody who draws breath once in a while, after as many sentences as it comes.
  let left = 0
  return () => {
    if (left-- > 0) return between(...BREATHLESS_MS)
    left = between(5, 50)
    return between(300, 2_000)
  }
}

const spoken = new Map<number, { pcm16: Int16Array; words: readonly SpokenWord[] }>()

/** A sentence without the silence around it. */
function tight(sentence: number) {
  const known = spoken.get(sentence)
  if (known) return known
  const { pcm16, reference } = compose([{ sentence }])
  const { startMs, endMs, words } = reference.sentences[0]!
  const made = { pcm16: slice(pcm16, startMs, endMs), words: words.map((word) => later(word, -startMs)) }
  spoken.set(sentence, made)
  return made
}

/** Noise that is now louder and now softer, as of a train: pauses and the closures inside words sound alike. */
function rattle(ms: number, seed: number, random: () => number): Int16Array {
  const parts: Int16Array[] = []
  for (let atMs = 0, n = 0; atMs < ms; n++) {
    const partMs = Math.min(ms - atMs, Math.round(60 + random() * 180))
    parts.push(noise(partMs, -46 + random() * 8, seed * 100_000 + n))
    atMs += partMs
  }
  return concat(parts)
}

const later = (word: SpokenWord, byMs: number): SpokenWord => ({
  ...word,
  startMs: Math.round(word.startMs + byMs),
  endMs: Math.round(word.endMs + byMs),
})
