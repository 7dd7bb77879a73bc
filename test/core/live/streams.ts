import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDecoder } from '../../../lib/adapters/audio/decoder.ts'
import { createSoundReader } from '../../../lib/adapters/audio/sound-reader.ts'
import { chunkKey } from '../../../lib/core/keys.ts'
import { orderChunks } from '../../../lib/core/live/2-order.ts'
import { takeSound } from '../../../lib/core/live/3-sound.ts'
import { samplesOf } from '../../../lib/core/live/sound/pieces.ts'
import { wholeRecording } from '../../../lib/core/live/sound/recording.ts'
import { BEGINNING, type IngestState } from '../../../lib/core/live/state.ts'
import type { ObjectStore } from '../../../lib/core/ports.ts'
import { temporaryObjects } from '../../adapters/local/objects.ts'
import { ffmpeg, needFfmpeg } from '../../support/media.ts'

/** Streams as clients send them: arguments for ffmpeg. */
export const STREAMS = {
  // A browser's: clusters and segment of unknown size, a cluster every few seconds, or one for half a minute.
  webm: ['-c:a', 'libopus', '-live', '1', '-cluster_time_limit', '5000', '-f', 'webm'],
  'webm, one cluster': [
    ...['-c:a', 'libopus', '-live', '1', '-cluster_time_limit', '30000'],
    ...['-cluster_size_limit', '100000000', '-f', 'webm'],
  ],
  'webm with sizes': ['-c:a', 'libopus', '-f', 'webm'],
  'ogg opus': ['-c:a', 'libopus', '-page_duration', '200000', '-f', 'ogg'],
  'ogg vorbis': ['-ar', '16000', '-c:a', 'libvorbis', '-f', 'ogg'],
  mp4: [
    ...['-ar', '48000', '-c:a', 'aac', '-movflags', 'empty_moov+default_base_moof'],
    ...['-frag_duration', '1000000', '-f', 'mp4'],
  ],
  // base-data-offset in every fragment
  'mp4 opus': ['-c:a', 'libopus', '-movflags', 'empty_moov', '-frag_duration', '500000', '-f', 'mp4'],
  wav: ['-f', 'wav'],
  'wav 48 kHz stereo': ['-ar', '48000', '-ac', '2', '-f', 'wav'],
  'mp3 16 kHz': ['-write_xing', '0', '-c:a', 'libmp3lame', '-f', 'mp3'],
  adts: ['-ar', '48000', '-c:a', 'aac', '-f', 'adts'],
  flac: ['-c:a', 'flac', '-f', 'flac'],
  'pcm 48 kHz': ['-ar', '48000', '-f', 's16le'],
  'pcm big-endian': ['-ar', '48000', '-f', 's16be'],
} as const satisfies Record<string, readonly string[]>
export type StreamName = keyof typeof STREAMS

const TYPES: Partial<Record<StreamName, string>> = {
  'pcm 48 kHz': 'audio/pcm;rate=48000;channels=1;format=s16le',
  'pcm big-endian': 'audio/L16; rate=48000',
}
export const typeOf = (name: StreamName): string => TYPES[name] ?? 'application/octet-stream'

/** The same numbers for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Cuts anywhere: pieces of 0.3 to 1.7 times the length. */
export function cutAnywhere(bytes: Uint8Array, pieces: number, random: () => number): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += parts.at(-1)!.length) {
    const length = Math.round((bytes.length / pieces) * (0.3 + 1.4 * random()))
    parts.push(bytes.subarray(at, at + Math.max(1, length)))
  }
  return parts
}

export function cutEvenly(bytes: Uint8Array, pieces: number): Uint8Array[] {
  // Of a multiple of 4: between samples.
  const length = Math.ceil(bytes.length / pieces / 4) * 4
  return Array.from({ length: pieces }, (_, i) => bytes.subarray(i * length, (i + 1) * length))
}

export const noise = (length: number, random: () => number): Uint8Array =>
  Uint8Array.from({ length }, () => random() * 256)

export interface Sent {
  readonly bytes: Uint8Array
  readonly type?: string
}

/** A place to take streams in: the object store of one machine, a real decoder. */
export async function openSoundStage() {
  const folder = mkdtempSync(join(tmpdir(), 'verbatim-sound-'))
  const store = await temporaryObjects()
  const decoder = createDecoder({ ffmpeg: await needFfmpeg(), scratchDir: join(folder, 'sound') })
  const sound = createSoundReader({ decoder, scratchDir: join(folder, 'chunks') })
  let sessions = 0

  /** One chunk a step, as they come; undefined ones are lost. */
  async function receive(
    chunks: readonly (Sent | undefined)[],
    { objects = store.objects as Pick<ObjectStore, 'get' | 'put'> } = {},
  ) {
    const ref = { tenant: 't', sessionId: `s${sessions++}` }
    let ingest: IngestState = BEGINNING.ingest
    for (const [i, sent] of chunks.entries()) {
      if (!sent) continue
      const chunk = {
        ...{ seq: i, post: 'p', sizeBytes: sent.bytes.length, arrivedAt: 1_000_000 + i * 3_000 },
        contentType: sent.type ?? 'application/octet-stream',
      }
      await store.objects.put(chunkKey(ref, chunk), sent.bytes, chunk.contentType)
      const order = orderChunks(ingest, [chunk], chunk.arrivedAt, { closing: true, missingMs: 0 })
      // As the store gives it back.
      ingest = JSON.parse(JSON.stringify(await takeSound({ objects, sound }, ref, ingest, order)))
    }
    return { ref, ingest, pcm16: await soundOf(ref, ingest) }
  }

  async function soundOf(ref: { tenant: string; sessionId: string }, { endMs }: IngestState) {
    await wholeRecording(store.objects, ref, { endMs, key: 'whole' })
    return samplesOf((await store.objects.get('whole'))!.subarray(44))
  }

  return {
    objects: store.objects,
    receive,
    async encode(wav: string, args: readonly string[]): Promise<Uint8Array> {
      await ffmpeg('-i', wav, ...args, join(folder, 'out'))
      return readFileSync(join(folder, 'out'))
    },
    async dispose() {
      await store.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * How `got` lies against `wanted` in every half second with sound: the shifts in samples, and the largest difference
 * there relative to the sound. Only between `fromMs` and `toMs`.
 */
export function compareSound(wanted: Int16Array, got: Int16Array, range = 48, fromMs = 0, toMs = 1e9) {
  const shifts: number[] = []
  const step = range > 100 ? 5 : 1
  let worst = 0
  const end = Math.min(wanted.length - 8000, toMs * 16)
  for (let at = fromMs * 16; at < end; at += 8000) {
    const excerpt = wanted.subarray(at, at + 8000)
    const loudness = excerpt.reduce((sum, sample) => sum + Math.abs(sample), 0)
    if (loudness < 8000 * 50) continue
    let best = { shift: 0, difference: Number.POSITIVE_INFINITY }
    for (let shift = -range; shift <= range; shift++) {
      let difference = 0
      for (let i = 0; i < 8000 && difference < best.difference; i += step)
        difference += Math.abs(excerpt[i]! - (got[at + i + shift] ?? 0))
      if (difference < best.difference) best = { shift, difference }
    }
    shifts.push(best.shift)
    worst = Math.max(worst, (best.difference * step) / loudness)
  }
  return { from: Math.min(...shifts), to: Math.max(...shifts), worst, windows: shifts.length }
}
