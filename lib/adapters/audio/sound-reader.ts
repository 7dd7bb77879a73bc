import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ERRORS, toVerbatimError } from '../../core/errors.ts'
import type { SoundReader } from '../../core/live/ports.ts'
import type { Decoder } from '../../core/ports.ts'
import { plainSamples } from './plain-wav.ts'

/** A chunk of 4 MB may hold an hour; what is longer is no live sound. */
const LIMITS = { maxDurationMs: 30 * 60_000, timeoutMs: 30_000 }

export interface SoundReaderOptions {
  readonly decoder: Decoder
  /** For files that live as long as one decoding. */
  readonly scratchDir: string
}

/**
 * Decodes small files of any format. What is wrong with the sound makes an empty array: a live session goes on. What is
 * wrong here (no room, no decoder) is thrown.
 */
export function createSoundReader({ decoder, scratchDir }: SoundReaderOptions): SoundReader {
  return {
    async read(bytes) {
      const plain = plainSamples(bytes)
      if (plain) return plain
      const path = join(scratchDir, `chunk-${randomUUID()}`)
      try {
        await mkdir(scratchDir, { recursive: true })
        await writeFile(path, bytes, { mode: 0o600, flag: 'wx' })
        return await decodeAll(decoder, path)
      } catch (thrown) {
        const error = toVerbatimError(thrown)
        if (SOUND_ERRORS.has(error.code)) return new Int16Array(0)
        throw error
      } finally {
        await rm(path, { force: true }).catch(() => undefined)
      }
    },
  }
}

/** What can be wrong with the sound itself: the table's status for requests that can't be dealt with. */
const SOUND_ERRORS: ReadonlySet<string> = new Set(
  Object.entries(ERRORS).flatMap(([code, { http, retry }]) => (http === 422 && !retry ? [code] : [])),
)

async function decodeAll(decoder: Decoder, path: string): Promise<Int16Array> {
  const recording = await decoder.decode(path, { channels: 'mix', limits: LIMITS })
  try {
    // A little more than there is: the length is rounded.
    return await recording.read(0, 0, recording.durationMs + 1)
  } finally {
    await recording.dispose()
  }
}
