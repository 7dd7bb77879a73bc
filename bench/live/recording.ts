import { execFileSync } from 'node:child_process'
import { cutStream, webmOf } from '../../test/support/live-lane.ts'
import { randomFrom } from '../../test/support/random.ts'
import { readReference, type SpokenSentence, samplePath } from '../../test/support/reference.ts'

export const CHUNK_MS = 3_000

/** Silence after the last word: a meeting goes on, so no word is final only because the sound has ended. */
const TAIL_MS = 6_000

export interface LiveRecording {
  /** 16 kHz mono. */
  readonly pcm16: Int16Array
  readonly durationMs: number
  readonly sentences: readonly SpokenSentence[]
  /** All that is said. */
  readonly text: string
}

export interface TimedChunk {
  readonly bytes: Uint8Array
  /** When a recorder has it, from the beginning of the sound. */
  readonly untilMs: number
}

/** The sample of 3 minutes, again and again, up to the last sentence that ends within `seconds`. */
export function meeting(seconds: number): LiveRecording {
  const sample = readReference('meeting180')
  const sentences: SpokenSentence[] = []
  for (let loopMs = 0; loopMs < seconds * 1000; loopMs += sample.durationMs)
    sentences.push(...sample.sentences.map((sentence) => later(sentence, loopMs)))
  const said = sentences.filter(({ endMs }) => endMs <= seconds * 1000)
  const last = said.at(-1)
  if (!last) throw new Error('Nothing is said in so few seconds.')
  const durationMs = Math.ceil((last.endMs + TAIL_MS) / CHUNK_MS) * CHUNK_MS
  const pcm16 = looped(decoded(samplePath('meeting180')), durationMs, last.endMs + 200)
  return { pcm16, durationMs, sentences: said, text: said.map(({ text }) => text).join(' ') }
}

/** As a browser's recorder posts it: one WebM stream, cut anywhere near each 3 s. */
export const chunksOf = ({ pcm16, durationMs }: LiveRecording): TimedChunk[] =>
  cutStream(webmOf(pcm16), durationMs, CHUNK_MS, randomFrom(1))

function looped(pcm16: Int16Array, durationMs: number, soundMs: number): Int16Array {
  const whole = new Int16Array(durationMs * 16)
  const end = soundMs * 16
  for (let at = 0; at < end; at += pcm16.length) whole.set(pcm16.subarray(0, end - at), at)
  return whole
}

function decoded(path: string): Int16Array {
  const args = ['-v', 'error', '-i', path, '-ar', '16000', '-ac', '1', '-f', 's16le', 'pipe:1']
  const bytes = execFileSync('ffmpeg', args, { maxBuffer: 2 ** 28 })
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

function later(sentence: SpokenSentence, byMs: number): SpokenSentence {
  const moved = <T extends { readonly startMs: number; readonly endMs: number }>(it: T): T => ({
    ...it,
    startMs: it.startMs + byMs,
    endMs: it.endMs + byMs,
  })
  return { ...moved(sentence), words: sentence.words.map(moved) }
}
