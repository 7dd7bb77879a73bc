import { pcmKey } from '../../keys.ts'
import type { ObjectStore } from '../../ports.ts'
import type { SessionRef } from '../../session.ts'
import { copyOf } from '../container/bytes.ts'
import type { IngestState } from '../state.ts'

// Sound of a session lies in pieces: 16 kHz 16-bit little-endian samples from a whole millisecond to another. What no
// piece covers is silence.

const SAMPLES_PER_MS = 16

/** How far back `IngestState.pieces` reaches. */
const KEPT_MS = 60_000

/** Stores sound that begins at `startMs`; its length is a whole number of ms. Writing it again does no harm. */
export async function writePiece(
  objects: Pick<ObjectStore, 'put'>,
  ref: SessionRef,
  startMs: number,
  pcm16: Int16Array,
): Promise<void> {
  await objects.put(pcmKey(ref, startMs), bytesOf(pcm16), 'application/octet-stream')
}

/** The state with the piece at its end, and without those that lie further back than a minute. */
export function withPiece(ingest: IngestState, startMs: number, pcm16: Int16Array): IngestState {
  const endMs = startMs + pcm16.length / SAMPLES_PER_MS
  const kept = ingest.pieces.filter((piece) => piece.endMs > endMs - KEPT_MS)
  return { ...ingest, endMs, pieces: [...kept, { startMs, endMs }] }
}

/** The session's sound from `fromMs` to `toMs`, at most the last minute; silence where there is none. */
export async function readSound(
  objects: Pick<ObjectStore, 'get'>,
  ref: SessionRef,
  { pieces }: Pick<IngestState, 'pieces'>,
  fromMs: number,
  toMs: number,
): Promise<Int16Array> {
  const sound = new Int16Array(Math.max(0, toMs - fromMs) * SAMPLES_PER_MS)
  const wanted = pieces.filter(({ startMs, endMs }) => endMs > fromMs && startMs < toMs)
  const read = await Promise.all(wanted.map(({ startMs }) => objects.get(pcmKey(ref, startMs))))
  for (const [i, { startMs, endMs }] of wanted.entries()) {
    // Another step may have begun a longer piece at the same place and not have ended: only what is ours.
    const samples = samplesOf(read[i]).subarray(0, (endMs - startMs) * SAMPLES_PER_MS)
    const from = Math.max(0, fromMs - startMs) * SAMPLES_PER_MS
    const part = samples.subarray(from, Math.max(from, (toMs - startMs) * SAMPLES_PER_MS))
    sound.set(part, Math.max(0, startMs - fromMs) * SAMPLES_PER_MS)
  }
  return sound
}

/** Little-endian like every machine this runs on. */
const bytesOf = (pcm16: Int16Array): Uint8Array =>
  new Uint8Array(pcm16.buffer, pcm16.byteOffset, pcm16.byteLength)

/** A copy: bytes may lie at an odd place. */
export function samplesOf(bytes: Uint8Array | undefined): Int16Array {
  if (!bytes) return new Int16Array(0)
  return new Int16Array(copyOf(bytes, 0, bytes.length & ~1).buffer)
}
