import { readFileSync, writeFileSync } from 'node:fs'

export interface Wav {
  /** Samples of all channels in turn. */
  readonly pcm16: Int16Array
  readonly sampleRate: number
  readonly channels: number
}

const HEADER_BYTES = 44

/** Writes a plain 16-bit PCM WAV file. `pcm16` holds the channels in turn; by default 16 kHz, one channel. */
export function writeWav(
  path: string,
  pcm16: Int16Array,
  { sampleRate = 16_000, channels = 1 }: { sampleRate?: number; channels?: number } = {},
): void {
  writeFileSync(path, wavBytes(pcm16, { sampleRate, channels }))
}

/** The bytes of a plain 16-bit PCM WAV file. */
export function wavBytes(
  pcm16: Int16Array,
  { sampleRate = 16_000, channels = 1 }: { sampleRate?: number; channels?: number } = {},
): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + pcm16.length * 2)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(bytes.length - 8, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20) // PCM
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(sampleRate, 24)
  bytes.writeUInt32LE(sampleRate * channels * 2, 28)
  bytes.writeUInt16LE(channels * 2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(pcm16.length * 2, 40)
  for (const [i, sample] of pcm16.entries()) bytes.writeInt16LE(sample, HEADER_BYTES + i * 2)
  return bytes
}

/** Reads a 16-bit PCM WAV file, whatever other chunks it carries. */
export function readWav(path: string): Wav {
  const bytes = readFileSync(path)
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('not a WAV file')
  }
  const format = chunk(bytes, 'fmt ')
  if (format.readUInt16LE(0) !== 1 || format.readUInt16LE(14) !== 16) throw new Error('not 16-bit PCM')
  const data = chunk(bytes, 'data')
  const pcm16 = new Int16Array(data.length >> 1)
  for (let i = 0; i < pcm16.length; i++) pcm16[i] = data.readInt16LE(i * 2)
  return { pcm16, sampleRate: format.readUInt32LE(4), channels: format.readUInt16LE(2) }
}

/** The first RIFF chunk of that name. Chunks begin on even bytes. */
function chunk(bytes: Buffer, name: string): Buffer {
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4)
    if (bytes.toString('latin1', at, at + 4) === name) return bytes.subarray(at + 8, at + 8 + length)
    at += 8 + length + (length % 2)
  }
  throw new Error(`the WAV file has no chunk "${name}"`)
}
