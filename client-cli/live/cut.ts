import { VerbatimError } from '../../lib/core/errors.ts'
import type { Format, ScanStart } from '../../lib/core/live/container/format.ts'
import { ENOUGH_TO_LOOK, readHeader } from '../../lib/core/live/container/look.ts'

/** Bytes of a stream that follow on those before, with their time from the stream's first sound. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly startMs: number
  readonly endMs: number
}

/** A piece of sound is cut off at this size, however short: the service takes 4 MiB, and a proxy may take 1. */
const MOST_BYTES = 1_000_000

/**
 * Cuts a stream into pieces of `chunkMs` or a little more, at places where a sound ends. Together they are the stream,
 * byte for byte. `kind` is what container/look.ts has found. Fails with `unsupported-audio` for a stream that tells no
 * times.
 */
export async function* cut(
  stream: AsyncIterable<Uint8Array>,
  { kind, chunkMs }: { kind: string; chunkMs: number },
): AsyncGenerator<Piece, void> {
  let bytes: Uint8Array = new Uint8Array(0)
  let format: Format | undefined
  let from: ScanStart = { at: 0, ms: 0, leastMs: 0, synced: true }
  let zeroMs: number | undefined
  let cutMs = 0
  let heardMs = 0
  function take(end: number): Piece {
    const piece = { bytes: bytes.slice(0, end), startMs: cutMs, endMs: heardMs }
    bytes = bytes.slice(end)
    from = { ...from, at: from.at - end }
    cutMs = heardMs
    return piece
  }
  for await (const more of stream) {
    bytes = joined(bytes, more)
    if (!format && bytes.length < ENOUGH_TO_LOOK) continue
    if (!format) {
      const header = readHeader(kind, bytes)
      if (header === 'incomplete') continue
      if (header === 'whole') throw noStream()
      format = header
      from = { ...from, at: header.bodyAt }
    }
    let taken = 0
    for (const unit of format.scan(bytes, from).units) {
      zeroMs ??= unit.ms
      heardMs = Math.max(heardMs, unit.ms + unit.durationMs - zeroMs)
      const ms = unit.ms + unit.durationMs
      from = { at: unit.end - taken, ms, leastMs: ms, base: unit.base, synced: true }
      if (heardMs - cutMs < chunkMs && from.at < MOST_BYTES) continue
      yield take(from.at)
      taken = unit.end
    }
    if (bytes.length > 2 * MOST_BYTES) {
      from = { ...from, at: bytes.length, synced: false }
      yield take(bytes.length)
    }
  }
  if (bytes.length > 0) yield take(bytes.length)
}

export const noStream = () =>
  new VerbatimError('unsupported-audio', 'A recording of this kind cannot be cut into chunks as it is.', {
    hint: 'Install ffmpeg, which turns it into a stream, or give a WebM, Ogg, FLAC, MP3 or WAV file.',
  })

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}
