export const SAMPLE_RATE = 16_000

const HEADER_BYTES = 44
/** Whisper wants a second at least; older versions read out of bounds below it. */
const LEAST_SAMPLES = 1.1 * SAMPLE_RATE

/** Length of 16 kHz samples in ms. */
export const lengthMs = (pcm16: Int16Array): number => Math.round((pcm16.length * 1000) / SAMPLE_RATE)

/** A mono 16-bit WAV file of these 16 kHz samples, silence added where they are under 1.1 s. */
export function wavFile(pcm16: Int16Array): Buffer {
  const dataBytes = 2 * Math.max(pcm16.length, LEAST_SAMPLES)
  const file = Buffer.alloc(HEADER_BYTES + dataBytes)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(HEADER_BYTES - 8 + dataBytes, 4)
  file.write('WAVEfmt ', 8, 'latin1')
  file.writeUInt32LE(16, 16) // length of the format chunk
  file.writeUInt16LE(1, 20) // PCM
  file.writeUInt16LE(1, 22) // channels
  file.writeUInt32LE(SAMPLE_RATE, 24)
  file.writeUInt32LE(2 * SAMPLE_RATE, 28) // bytes a second
  file.writeUInt16LE(2, 32) // bytes a frame
  file.writeUInt16LE(16, 34) // bits a sample
  file.write('data', 36, 'latin1')
  file.writeUInt32LE(dataBytes, 40)
  // Both sides are little-endian: every platform that Node and whisper.cpp share is.
  Buffer.from(pcm16.buffer, pcm16.byteOffset, pcm16.byteLength).copy(file, HEADER_BYTES)
  return file
}
