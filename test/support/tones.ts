import type { Engine } from '../../lib/core/ports.ts'
import type { HeardSegment, Word } from '../../lib/core/transcript/shape.ts'

// A language of beeps, and an engine that understands it: each word is a hiss and a tone of its own. It survives real encoders and
// decoders, is heard in a millisecond, and is exact, so that tests can compare every word of many sessions.

const RATE = 16_000
const WORD_MS = 240
const GAP_MS = 80
/** Without a consonant it would count as music (audio/tonal.ts). */
const HISS_MS = 50
const HISS_HZ = 5000
/** A beep that is cut to less than this is not understood, as with half a word. */
const WHOLE_MS = 200
const FREQUENCIES = Array.from({ length: 24 }, (_, i) => 300 + 110 * i)

export interface Spoken {
  readonly pcm16: Int16Array
  readonly words: readonly Word[]
  readonly durationMs: number
}

/** Numbers are words (0 to 23), `_` is 700 ms of silence, `=` a whole second more. */
export function beep(script: string): Spoken {
  const words: Word[] = []
  const places: Array<{ startMs: number; hz: number }> = []
  let ms = 300
  for (const sign of script.trim().split(/\s+/)) {
    if (sign === '_') ms += 700
    else if (sign === '=') ms += 1000
    else {
      const hz = FREQUENCIES[Number(sign)]
      if (hz === undefined) throw new Error(`no such word: ${sign}`)
      words.push({ text: `w${sign}`, startMs: ms, endMs: ms + WORD_MS, probability: 0.95 })
      places.push({ startMs: ms, hz })
      ms += WORD_MS + GAP_MS
    }
  }
  const durationMs = ms + 300
  const pcm16 = new Int16Array((durationMs * RATE) / 1000)
  for (const { startMs, hz } of places) {
    const from = (startMs * RATE) / 1000
    const length = (WORD_MS * RATE) / 1000
    for (let i = 0; i < length; i++) {
      const fade = Math.min(1, i / 80, (length - i) / 80)
      const sung = i < (HISS_MS * RATE) / 1000 ? HISS_HZ : hz
      pcm16[from + i] = Math.round(9000 * fade * Math.sin((2 * Math.PI * sung * i) / RATE))
    }
  }
  return { pcm16, words, durationMs }
}

/** So many words with pauses between them, the same for the same numbers. */
export function randomScript(words: number, random: () => number): string {
  const signs: string[] = []
  for (let i = 0; i < words; i++) {
    signs.push(String(Math.floor(random() * FREQUENCIES.length)))
    if (random() < 0.15) signs.push('_')
    if (random() < 0.04) signs.push('=')
  }
  return signs.join(' ')
}

/** Hears beeps. `asked` counts the requests. */
export function createToneEngine(): Engine & { asked: number } {
  const engine: Engine & { asked: number } = {
    asked: 0,
    info: { name: 'tones', version: '1', model: 'tones' },
    width: 1,
    async hear(pcm16, { signal }) {
      signal?.throwIfAborted()
      engine.asked++
      return segmentsOf(wordsIn(pcm16))
    },
    detectLanguage: async () => ({ language: 'en', probability: 0.99 }),
  }
  return engine
}

const FRAME = RATE / 100

/** An encoder may tear a hole of two frames into a tone. */
const HOLE = 2

/** Beeps are runs of loud frames (10 ms); how often the sign changes tells the tone. */
function wordsIn(pcm16: Int16Array): Word[] {
  const words: Word[] = []
  let from = -1
  let to = 0
  const frames = Math.floor(pcm16.length / FRAME)
  for (let frame = 0; frame <= frames; frame++) {
    const loud = frame < frames && levelOf(pcm16, frame) > 800
    if (loud && from < 0) from = frame
    if (loud) to = frame + 1
    if (from < 0 || (frame < frames && frame - to < HOLE)) continue
    const word = wordOf(pcm16, from, to)
    if (word) words.push(word)
    from = -1
  }
  return words
}

function levelOf(pcm16: Int16Array, frame: number): number {
  let sum = 0
  for (let i = frame * FRAME; i < (frame + 1) * FRAME; i++) sum += pcm16[i]! ** 2
  return Math.sqrt(sum / FRAME)
}

function wordOf(pcm16: Int16Array, from: number, to: number): Word | undefined {
  const [startMs, endMs] = [from * 10, to * 10]
  if (endMs - startMs < 60) return undefined
  const middle = pcm16.subarray(from * FRAME + ((HISS_MS + 20) * RATE) / 1000, to * FRAME - 240)
  let crossings = 0
  for (let i = 1; i < middle.length; i++) if (middle[i - 1]! < 0 !== middle[i]! < 0) crossings++
  const hz = (crossings * RATE) / 2 / middle.length
  const tone = FREQUENCIES.findIndex((it) => Math.abs(it - hz) < 50)
  const whole = endMs - startMs >= WHOLE_MS && tone >= 0
  return { text: whole ? `w${tone}` : 'hm', startMs, endMs, probability: whole ? 0.95 : 0.3 }
}

/** A segment for each run of words without a long pause. */
function segmentsOf(words: readonly Word[]): HeardSegment[] {
  const runs: Word[][] = []
  for (const word of words) {
    const last = runs.at(-1)?.at(-1)
    if (last && word.startMs - last.endMs < 400) runs.at(-1)!.push(word)
    else runs.push([word])
  }
  return runs.map((run) => ({
    ...{ startMs: run[0]!.startMs, endMs: run.at(-1)!.endMs, text: run.map(({ text }) => text).join(' ') },
    ...{ words: run, avgLogprob: -0.1, noSpeechProb: 0.01, compressionRatio: 1 },
  }))
}
