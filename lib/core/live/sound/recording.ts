import { pcmKey } from '../../keys.ts'
import type { ObjectStore } from '../../ports.ts'
import type { SessionRef } from '../../session.ts'
import { recordingHeader } from '../container/pcm.ts'

const BYTES_PER_MS = 32
/** Silence is written in pieces of this length. */
const SILENCE_MS = 10_000
/** So many pieces are fetched ahead: one after the other, 12 hours of them would take minutes. */
const AHEAD = 8

/** Length of the file that `wholeRecording` writes: a WAV header, and the sound. */
export const wholeSizeBytes = (endMs: number): number => recordingHeader(0).length + endMs * BYTES_PER_MS

/**
 * Joins all sound of a session up to `endMs` to one WAV file at `key`: what no piece covers is silence. In constant
 * memory; 12 hours are 1.4 GB. May be repeated.
 */
export async function wholeRecording(
  objects: Pick<ObjectStore, 'list' | 'get' | 'putStream'>,
  ref: SessionRef,
  { endMs, key }: { endMs: number; key: string },
): Promise<void> {
  await objects.putStream(key, wavOf(objects, ref, endMs), 'audio/wav')
}

async function* wavOf(
  objects: Pick<ObjectStore, 'list' | 'get'>,
  ref: SessionRef,
  endMs: number,
): AsyncGenerator<Uint8Array> {
  yield recordingHeader((endMs * BYTES_PER_MS) / 2)
  const end = endMs * BYTES_PER_MS
  let at = 0
  for await (const piece of piecesOf(objects, ref, endMs)) {
    for (; at < piece.at; ) {
      const length = Math.min(SILENCE_MS * BYTES_PER_MS, piece.at - at)
      yield new Uint8Array(length)
      at += length
    }
    // A step that was repeated may have left a piece inside another one: the sound is the same.
    const part = piece.bytes.subarray(at - piece.at, end - piece.at)
    if (part.length > 0) yield part
    at += part.length
  }
}

/** All pieces in order, and an empty one at the end. */
async function* piecesOf(objects: Pick<ObjectStore, 'list' | 'get'>, ref: SessionRef, endMs: number) {
  const prefix = pcmKey(ref, 0).replace(/\d+$/, '')
  const starts = (await objects.list(prefix))
    .map((key) => Number(key.slice(prefix.length)))
    .filter((startMs) => startMs < endMs)
  const fetched: Promise<Uint8Array | undefined>[] = []
  for (const [i, startMs] of starts.entries()) {
    while (fetched.length < Math.min(starts.length, i + AHEAD)) {
      const next = objects.get(pcmKey(ref, starts[fetched.length]!))
      // Who reads may have stopped when it fails; who waits for it hears of it all the same.
      next.catch(() => undefined)
      fetched.push(next)
    }
    const bytes = (await fetched[i]) ?? new Uint8Array(0)
    delete fetched[i]
    yield { at: startMs * BYTES_PER_MS, bytes: bytes.subarray(0, bytes.length & ~1) }
  }
  yield { at: endMs * BYTES_PER_MS, bytes: new Uint8Array(0) }
}
