import { FRAME_MS, type LevelTrack, toCode } from '../../../lib/core/audio/levels.ts'
import { randomFrom } from '../../support/random.ts'

/**
 * `[ms, dB]` is a room: steady, half a decibel of wobble. `[ms, dB, 'talk']` goes up and down as syllables do, in a
 * room of `roomDb`.
 */
export type Part = readonly [ms: number, db: number, how?: 'talk', roomDb?: number]

export function trackOf(parts: readonly Part[], seed = 1): LevelTrack {
  const random = randomFrom(seed)
  const codes = parts.flatMap(([ms, db, how, roomDb = -127.5]) =>
    Array.from({ length: Math.round(ms / FRAME_MS) }, (_, i) => {
      // A syllable of 200 ms; its closure lies 25 dB below its vowel.
      const dip = how === 'talk' ? [0, 0, 2, 4, 6, 12, 25, 25, 8, 2][i % 10]! : 0
      return toCode(Math.max(db - dip, roomDb) + random() - 0.5)
    }),
  )
  return { codes: Uint8Array.from(codes), durationMs: codes.length * FRAME_MS }
}

/** The same parts, `times` times over. */
export const repeated = (times: number, parts: readonly Part[]): Part[] =>
  Array.from({ length: times }, () => parts).flat()
