import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// The recordings in models/mini/samples and what is said in them, word by word. The times come from the
// synthesizer, so they are exact to a few milliseconds.

/** `short`: one sentence, 3 s. `meeting60`: 23 sentences of two voices in turn, 55 s. `meeting180`: 66, 3 min. */
export type SampleName = 'short' | 'meeting60' | 'meeting180'

export interface SpokenWord {
  /** As written: with its punctuation. */
  readonly text: string
  readonly startMs: number
  readonly endMs: number
}

export interface SpokenSentence {
  readonly text: string
  readonly startMs: number
  readonly endMs: number
  /** Name of the synthetic voice; stands for the speaker. */
  readonly voice: string
  readonly words: readonly SpokenWord[]
}

export interface Reference {
  /** All sentences, joined by a space. */
  readonly text: string
  readonly durationMs: number
  readonly sentences: readonly SpokenSentence[]
}

/** The files' own shape: seconds as decimals. */
interface ReferenceFile {
  readonly duration: number
  readonly sentences: readonly {
    readonly text: string
    readonly voice: string
    readonly start: number
    readonly end: number
    readonly words: readonly { readonly w: string; readonly start: number; readonly end: number }[]
  }[]
}

const SAMPLES = new URL('../../models/mini/samples/', import.meta.url)

const ms = (seconds: number): number => Math.round(seconds * 1000)

/** Where the recording lies: 16 kHz mono, 16 bit; WAV, and FLAC for `meeting180`. */
export function samplePath(name: SampleName): string {
  return fileURLToPath(new URL(name === 'meeting180' ? `${name}.flac` : `${name}.wav`, SAMPLES))
}

/** What is said in a sample, and when. */
export function readReference(name: SampleName): Reference {
  const file = JSON.parse(readFileSync(new URL(`${name}.ref.json`, SAMPLES), 'utf8')) as ReferenceFile
  return {
    text: file.sentences.map((sentence) => sentence.text).join(' '),
    durationMs: ms(file.duration),
    sentences: file.sentences.map((sentence) => ({
      text: sentence.text,
      startMs: ms(sentence.start),
      endMs: ms(sentence.end),
      voice: sentence.voice,
      words: sentence.words.map(({ w, start, end }) => ({ text: w, startMs: ms(start), endMs: ms(end) })),
    })),
  }
}
