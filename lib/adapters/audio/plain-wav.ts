/** What a WAV header of 44 bytes says for 16 kHz 16-bit samples of one channel, from `fmt ` on. */
const PLAIN = [16, 0, 0, 0, 1, 0, 1, 0, 0x80, 0x3e, 0, 0, 0, 0x7d, 0, 0, 2, 0, 16, 0]

/**
 * The samples of a WAV file that holds just what the engine takes; undefined for any other. It needs no decoder, which
 * would take 50 ms to start.
 */
export function plainSamples(bytes: Uint8Array): Int16Array | undefined {
  const text = (at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length))
  if (text(0, 4) !== 'RIFF' || text(8, 8) !== 'WAVEfmt ' || text(36, 4) !== 'data') return undefined
  if (!PLAIN.every((byte, i) => bytes[16 + i] === byte)) return undefined
  const promised = new DataView(bytes.buffer, bytes.byteOffset).getUint32(40, true)
  // Of a file that was written as a stream, all is sound; behind any other there may be tags.
  const end = promised === 0 || 44 + promised > bytes.length ? bytes.length : 44 + promised
  // A copy: samples may lie at an odd place of the buffer.
  return new Int16Array(new Uint8Array(bytes.subarray(44, end - ((end - 44) % 2))).buffer)
}
