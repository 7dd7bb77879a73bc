/** What a WAV header says; sizes and offsets in bytes. */
export interface WavHeader {
  readonly encoding: 'int' | 'float' | 'mulaw' | 'alaw'
  readonly bits: number
  readonly channels: number
  readonly sampleRate: number
  readonly frameBytes: number
  readonly dataStart: number
  /** Undefined in a file that was written as a stream: the sound goes on to the end of the file. */
  readonly dataBytes: number | undefined
}

/** Why a file that begins like WAV can't be read: `damaged`, or an `encoding` that is not known here. */
export type WavProblem = 'damaged' | 'encoding'

const ENCODINGS: Readonly<Record<number, WavHeader['encoding']>> = {
  1: 'int',
  3: 'float',
  6: 'alaw',
  7: 'mulaw',
}
const BITS: Readonly<Record<WavHeader['encoding'], readonly number[]>> = {
  int: [8, 16, 24, 32],
  float: [32, 64],
  mulaw: [8],
  alaw: [8],
}
const EXTENSIBLE = 0xfffe
/** What programs write as a size that they don't know yet. */
const UNKNOWN = 0xffffffff

const name = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))

/**
 * Reads the chunks in front of the sound (RIFF and RF64; EBU Tech 3306). `fetch` gives `length` bytes at `at`, fewer
 * at the end of the file, so that large chunks in front of `data` are stepped over, not read.
 */
export async function readWavHeader(
  fetch: (at: number, length: number) => Promise<Uint8Array>,
): Promise<WavHeader | WavProblem> {
  let at = 12
  let format: Omit<WavHeader, 'dataStart' | 'dataBytes'> | undefined
  let longDataBytes: number | undefined
  for (let seen = 0; seen < 1000; seen++) {
    const chunk = await fetch(at, 8)
    if (chunk.length < 8) return 'damaged'
    const size = new DataView(chunk.buffer, chunk.byteOffset).getUint32(4, true)
    const id = name(chunk, 0)
    if (id === 'data') {
      if (!format) return 'damaged'
      const unknown = size === 0 || size >= UNKNOWN
      return { ...format, dataStart: at + 8, dataBytes: unknown ? longDataBytes : size }
    }
    if (id === 'fmt ') {
      const read = readFormat(await fetch(at + 8, Math.min(size, 40)))
      if (typeof read === 'string') return read
      format = read
    }
    if (id === 'ds64') {
      const body = await fetch(at + 8, 28)
      if (body.length === 28) {
        const bytes = Number(new DataView(body.buffer, body.byteOffset).getBigUint64(8, true))
        if (bytes > 0 && bytes <= Number.MAX_SAFE_INTEGER) longDataBytes = bytes
      }
    }
    // A chunk of odd size is followed by one byte that it does not count.
    at += 8 + size + (size & 1)
  }
  return 'damaged'
}

function readFormat(bytes: Uint8Array): Omit<WavHeader, 'dataStart' | 'dataBytes'> | WavProblem {
  if (bytes.length < 16) return 'damaged'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const tag = view.getUint16(0, true)
  // WAVE_FORMAT_EXTENSIBLE keeps the encoding in the first two bytes of its sub-format GUID.
  const code = tag === EXTENSIBLE ? (bytes.length >= 26 ? view.getUint16(24, true) : 0) : tag
  const encoding = ENCODINGS[code]
  const channels = view.getUint16(2, true)
  const sampleRate = view.getUint32(4, true)
  const frameBytes = view.getUint16(12, true)
  if (!encoding) return 'encoding'
  if (channels === 0 || sampleRate === 0 || frameBytes === 0) return 'damaged'
  // 20 valid bits lie in 24: what counts is how wide a sample is in the file.
  const bits = (frameBytes / channels) * 8
  return BITS[encoding].includes(bits) ? { encoding, bits, channels, sampleRate, frameBytes } : 'encoding'
}

/** Whole frames of sound as one array of samples in [-1, 1] per channel. */
export function wavToFloat(header: WavHeader, bytes: Uint8Array): Float32Array[] {
  const frames = Math.floor(bytes.length / header.frameBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const read = readerOf(header, view)
  const width = header.bits / 8
  return Array.from({ length: header.channels }, (_, channel) => {
    const samples = new Float32Array(frames)
    for (let i = 0; i < frames; i++) samples[i] = read(i * header.frameBytes + channel * width)
    return samples
  })
}

function readerOf({ encoding, bits }: WavHeader, view: DataView): (at: number) => number {
  if (encoding === 'mulaw') return (at) => mulaw(view.getUint8(at)) / 32768
  if (encoding === 'alaw') return (at) => alaw(view.getUint8(at)) / 32768
  if (encoding === 'float') {
    const read = bits === 64 ? view.getFloat64.bind(view) : view.getFloat32.bind(view)
    return (at) => finite(read(at, true))
  }
  if (bits === 8) return (at) => (view.getUint8(at) - 128) / 128
  if (bits === 16) return (at) => view.getInt16(at, true) / 32768
  if (bits === 24) return (at) => (view.getInt16(at + 1, true) * 256 + view.getUint8(at)) / 8388608
  return (at) => view.getInt32(at, true) / 2147483648
}

/** A NaN would spread through the resampler to every sample that follows. */
const finite = (sample: number): number => (Number.isFinite(sample) ? Math.max(-8, Math.min(8, sample)) : 0)

/** ITU-T G.711: sign, three bits of exponent, four of mantissa, all inverted; bias 132. */
function mulaw(code: number): number {
  const inverted = ~code & 0xff
  const magnitude = ((((inverted & 15) << 3) + 132) << ((inverted >> 4) & 7)) - 132
  return inverted & 0x80 ? -magnitude : magnitude
}

/** ITU-T G.711: like mu-law, with every other bit inverted and a linear lowest segment. */
function alaw(code: number): number {
  const toggled = code ^ 0x55
  const segment = (toggled >> 4) & 7
  const step = ((toggled & 15) << 4) + 8
  const magnitude = segment === 0 ? step : (step + 256) << (segment - 1)
  return toggled & 0x80 ? magnitude : -magnitude
}
