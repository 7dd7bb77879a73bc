/** Enough for the chunks that programs write in front of the sound. */
const HEAD_BYTES = 64 * 1024
const DAY_MS = 86_400_000

/**
 * How long a WAV file is, by its header (RIFF and RF64; EBU Tech 3306), in ms. Undefined for anything else, and where
 * the header makes no sense.
 */
export async function wavLengthMs(
  read: (at: number, length: number) => Promise<Uint8Array>,
  sizeBytes: number,
): Promise<number | undefined> {
  const head = await read(0, Math.min(HEAD_BYTES, sizeBytes))
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  const name = (at: number) => String.fromCharCode(...head.subarray(at, at + 4))
  if (!['RIFF', 'RF64'].includes(name(0)) || name(8) !== 'WAVE') return undefined
  let bytesPerS = 0
  for (let at = 12; at + 24 <= head.length; ) {
    const size = view.getUint32(at + 4, true)
    if (name(at) === 'fmt ') bytesPerS = view.getUint32(at + 16, true)
    if (name(at) === 'data') {
      // A size that was not known when the header was written, or does not fit in: to the end of the file.
      const known = size > 0 && size < 0xffffffff
      const bytes = Math.min(known ? size : Number.POSITIVE_INFINITY, sizeBytes - at - 8)
      return plausible(Math.round((bytes / bytesPerS) * 1000))
    }
    // A chunk of odd size is followed by one byte that it does not count.
    at += 8 + size + (size & 1)
  }
  return undefined
}

const plausible = (ms: number): number | undefined => (ms >= 1 && ms <= 2 * DAY_MS ? ms : undefined)
