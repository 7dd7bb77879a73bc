import { ascii, copyOf, isAt, joinBytes, uintLE } from './bytes.ts'
import { type Format, type Header, type Scan, span, type Unit } from './format.ts'

/** How samples lie in a stream without compression: what a WAV header says, or a content type. */
export interface PcmLayout {
  /** WAVE_FORMAT: 1 integer, 3 float, 6 A-law, 7 mu-law. */
  readonly code: number
  readonly bits: number
  readonly rate: number
  readonly channels: number
  /** Most significant byte first, as network types have it; WAV never does. */
  readonly bigEndian: boolean
}

/** Units of this length: a place to resume at that is close, and few of them. */
const UNIT_MS = 100

const ENCODINGS: Readonly<Record<string, readonly [code: number, bits: number]>> = {
  ...{ u8: [1, 8], s16: [1, 16], s24: [1, 24], s32: [1, 32], f32: [3, 32], f64: [3, 64] },
  ...{ alaw: [6, 8], mulaw: [7, 8], ulaw: [7, 8] },
}

/**
 * The layout that a content type tells, of sound without a header:
 * `audio/pcm;rate=16000;channels=1;format=s16le` (also `encoding`, `codec` or `bits`; these are the defaults) and
 * `audio/l16;rate=44100;channels=2` (RFC 2586: most significant byte first). Undefined for any other.
 */
export function pcmOfType(contentType: string): PcmLayout | undefined {
  const [type = '', ...rest] = contentType.toLowerCase().split(';')
  const given = new Map(
    rest.map((part) => part.split('=').map((s) => s.trim().replaceAll('"', '')) as [string, string]),
  )
  const linear = /^audio\/(?:x-)?l(8|16|24)$/.exec(type.trim())
  if (!linear && !/^audio\/(?:x-)?(?:pcm|raw)$/.test(type.trim())) return undefined
  const rate = Number(given.get('rate') ?? 16_000)
  const channels = Number(given.get('channels') ?? 1)
  const name =
    given.get('format') ?? given.get('encoding') ?? given.get('codec') ?? `s${given.get('bits') ?? 16}le`
  const [, kind = '', order = 'le'] = /^(?:pcm_)?([a-z]+\d*?\d*)(le|be)?$/.exec(name) ?? []
  const encoding = linear ? ENCODINGS[`s${linear[1]}`] : ENCODINGS[kind]
  if (!encoding || !isRate(rate) || !(Number.isInteger(channels) && channels > 0 && channels <= 8))
    return undefined
  return { code: encoding[0], bits: encoding[1], rate, channels, bigEndian: linear ? true : order === 'be' }
}

const isRate = (rate: number): boolean => Number.isInteger(rate) && rate >= 4000 && rate <= 384_000

/** The layout in a short form that can be kept, and back. */
export const pcmName = ({ code, bits, rate, channels, bigEndian }: PcmLayout): string =>
  `pcm:${code}:${bits}:${rate}:${channels}:${bigEndian ? 'be' : 'le'}`

export function pcmOfName(name: string): PcmLayout | undefined {
  const found = /^pcm:(\d+):(\d+):(\d+):(\d+):(be|le)$/.exec(name)
  if (!found) return undefined
  const [code, bits, rate, channels] = found.slice(1, 5).map(Number) as [number, number, number, number]
  return { code, bits, rate, channels, bigEndian: found[5] === 'be' }
}

/**
 * A WAV file that is a stream: what its header says about the length of the sound counts for nothing, as whoever
 * writes one does not know it.
 */
export function readWavHeader(bytes: Uint8Array): Header {
  let layout: PcmLayout | undefined
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = uintLE(bytes, at + 4, 4)
    if (isAt(bytes, at, 'data')) return layout ? pcmFormat(layout, at + 8) : 'whole'
    if (isAt(bytes, at, 'fmt ')) {
      if (at + 8 + Math.min(size, 40) > bytes.length) return 'incomplete'
      layout = layoutAt(bytes, at + 8, size)
      if (!layout) return 'whole'
    }
    at += 8 + size + (size & 1)
  }
  return 'incomplete'
}

function layoutAt(bytes: Uint8Array, at: number, size: number): PcmLayout | undefined {
  const tag = uintLE(bytes, at, 2)
  const code = tag === 0xfffe && size >= 26 ? uintLE(bytes, at + 24, 2) : tag
  const channels = uintLE(bytes, at + 2, 2)
  const rate = uintLE(bytes, at + 4, 4)
  const bits = channels > 0 ? (uintLE(bytes, at + 12, 2) / channels) * 8 : 0
  const known = Object.values(ENCODINGS).some(([c, b]) => c === code && b === bits)
  return known && isRate(rate) ? { code, bits, rate, channels, bigEndian: false } : undefined
}

/** Sound without compression, which begins at `bodyAt`. */
export function pcmFormat(layout: PcmLayout, bodyAt: number): Format {
  const frame = (layout.bits / 8) * layout.channels
  const unitBytes = Math.max(1, Math.round((layout.rate * UNIT_MS) / 1000)) * frame
  return {
    timed: false,
    bodyAt,
    scan(bytes, from): Scan {
      const begin = from.synced ? from.at : from.at + evenStart(bytes, from.at, layout)
      const units: Unit[] = []
      let at = begin
      let ms = from.ms
      const end = bytes.length - trailerBytes(bytes, begin)
      while (at + frame <= end) {
        const length = Math.min(unitBytes, end - at - ((end - at) % frame))
        const durationMs = (length / frame / layout.rate) * 1000
        units.push({
          at,
          end: at + length,
          ms,
          durationMs,
          ...(at === begin && !from.synced && { fresh: true }),
        })
        at += length
        ms += durationMs
      }
      return { units, rest: at }
    },
    build: (bytes, units) => {
      const sound = span(bytes, units)
      return joinBytes([
        wavHeader(layout, sound.length),
        layout.bigEndian ? swapped(sound, layout.bits / 8) : sound,
      ])
    },
  }
}

/**
 * After a loss a cut may have gone through a sample: of the ways to count, the one is right in which neighbours are most
 * alike. Only for 16-bit integers, which is what clients send; others are taken to be cut between samples.
 */
function evenStart(bytes: Uint8Array, at: number, { code, bits, bigEndian, channels }: PcmLayout): number {
  if (code !== 1 || bits !== 16) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const roughness = (shift: number): number => {
    let sum = 0
    const stop = Math.min(bytes.length - 2 - 2 * channels, at + 16_000)
    for (let i = at + shift; i < stop; i += 2) {
      sum += Math.abs(view.getInt16(i, !bigEndian) - view.getInt16(i + 2 * channels, !bigEndian))
    }
    return sum
  }
  return roughness(1) * 2 < roughness(0) ? 1 : 0
}

/** Length of what programs append behind the sound: tags, if the last bytes are just that. */
function trailerBytes(bytes: Uint8Array, from: number): number {
  for (let at = Math.max(from, bytes.length - 4096); at + 8 < bytes.length; at++) {
    if (bytes[at] !== 0x4c || !isAt(bytes, at, 'LIST')) continue
    if (at + 8 + uintLE(bytes, at + 4, 4) === bytes.length && ascii(bytes, at + 8, 4) === 'INFO')
      return bytes.length - at
  }
  return 0
}

function wavHeader({ code, bits, rate, channels }: PcmLayout, length: number): Uint8Array {
  const header = new Uint8Array(44)
  const view = new DataView(header.buffer)
  const frame = (bits / 8) * channels
  for (const [at, text] of [
    [0, 'RIFF'],
    [8, 'WAVEfmt '],
    [36, 'data'],
  ] as const) {
    header.set(
      [...text].map((letter) => letter.charCodeAt(0)),
      at,
    )
  }
  for (const [at, value] of [
    [4, 36 + length],
    [16, 16],
    [24, rate],
    [28, rate * frame],
    [40, length],
  ] as const) {
    view.setUint32(at, value, true)
  }
  for (const [at, value] of [
    [20, code],
    [22, channels],
    [32, frame],
    [34, bits],
  ] as const) {
    view.setUint16(at, value, true)
  }
  return header
}

/** The header of a WAV file with 16 kHz 16-bit samples of one channel, for `samples` of them. */
export const recordingHeader = (samples: number): Uint8Array =>
  wavHeader({ code: 1, bits: 16, rate: 16_000, channels: 1, bigEndian: false }, samples * 2)

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const copy = copyOf(bytes)
  for (let at = 0; at + width <= copy.length; at += width) copy.subarray(at, at + width).reverse()
  return copy
}
