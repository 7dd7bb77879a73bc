import { byteAt, copyOf, isAt, joinBytes, uintBE } from './bytes.ts'
import { type Format, type Header, type Scan, type ScanStart, span, type Unit } from './format.ts'

/** What STREAMINFO says (RFC 9639, section 8.2). */
interface Info {
  readonly rate: number
  /** Samples of a block, when all have the same; else 0. */
  readonly blockSize: number
  /** No frame is longer. */
  readonly mostBytes: number
}

interface FrameHead {
  readonly samples: number
  /** Of its first sample. */
  readonly firstSample: number
}

const STREAMINFO_BYTES = 34

/** Native FLAC: metadata in front, then frames that tell where they stand. */
export function readFlac(bytes: Uint8Array): Header {
  if (!isAt(bytes, 0, 'fLaC')) return 'whole'
  if (bytes.length < 8 + STREAMINFO_BYTES) return 'incomplete'
  if ((byteAt(bytes, 4) & 0x7f) !== 0) return 'whole'
  let at = 4
  for (let last = false; !last; ) {
    if (at + 4 > bytes.length) return 'incomplete'
    last = (byteAt(bytes, at) & 0x80) !== 0
    at += 4 + uintBE(bytes, at + 1, 3)
  }
  const [least, most] = [uintBE(bytes, 8, 2), uintBE(bytes, 10, 2)]
  const rate = uintBE(bytes, 18, 3) >> 4
  if (rate === 0) return 'whole'
  const front = copyOf(bytes, 0, 8 + STREAMINFO_BYTES)
  front[4] = 0x80
  // How many samples there are and their digest are those of the whole, not of a part: not known.
  front[21] = byteAt(front, 21) & 0xf0
  front.fill(0, 22)
  return flacFormat({ rate, blockSize: least === most ? least : 0, mostBytes: mostBytes(bytes) }, front, at)
}

/** As STREAMINFO says, where it knows; else as long as without compression. */
function mostBytes(bytes: Uint8Array): number {
  const channels = ((byteAt(bytes, 20) >> 1) & 7) + 1
  const bits = ((byteAt(bytes, 20) & 1) << 4) + (byteAt(bytes, 21) >> 4) + 1
  return uintBE(bytes, 15, 3) || (uintBE(bytes, 10, 2) * channels * (bits + 1)) / 8 + 64
}

const flacFormat = (info: Info, front: Uint8Array, bodyAt: number): Format => ({
  timed: true,
  bodyAt,
  scan: (bytes, from) => scanFlac(bytes, from, info),
  build: (bytes, units) => joinBytes([front, span(bytes, units)]),
})

/**
 * Frames don't tell how long they are: each ends where its digest fits and the next one begins, or the bytes end. What
 * is too long for a frame is not one.
 */
function scanFlac(bytes: Uint8Array, from: ScanStart, info: Info): Scan {
  const units: Unit[] = []
  let lost = !from.synced
  let at = from.at
  while (at < bytes.length) {
    const head = headAt(bytes, at, info)
    const end = head && endOf(bytes, at, Math.min(bytes.length, at + info.mostBytes), info)
    if (!head || !end) {
      if (bytes.length - at < (head ? info.mostBytes : LONGEST_HEAD)) break
      lost = true
      at++
      continue
    }
    const [ms, durationMs] = [(head.firstSample / info.rate) * 1000, (head.samples / info.rate) * 1000]
    units.push({ at, end, ms, durationMs, ...(lost && { fresh: true }) })
    lost = false
    at = end
  }
  return { units, rest: at }
}

const LONGEST_HEAD = 16

function endOf(bytes: Uint8Array, at: number, limit: number, info: Info): number | undefined {
  let crc = 0
  for (let i = at; i < limit; i++) {
    crc = ((crc << 8) & 0xffff) ^ CRC16[(crc >> 8) ^ bytes[i]!]!
    // A digest that follows what it is the digest of makes 0.
    if (crc === 0 && i > at + 8 && (i + 1 === bytes.length || headAt(bytes, i + 1, info))) return i + 1
  }
  return undefined
}

/** RFC 9639, section 9.1. */
function headAt(bytes: Uint8Array, at: number, info: Info): FrameHead | undefined {
  if (bytes[at] !== 0xff || (byteAt(bytes, at + 1) & 0xfe) !== 0xf8) return undefined
  const sizes = byteAt(bytes, at + 2)
  const [number, afterNumber] = codedNumber(bytes, at + 4)
  if (number === undefined || sizes >> 4 === 0 || (sizes & 15) === 15) return undefined
  let end = afterNumber
  const code = sizes >> 4
  let samples = code === 1 ? 192 : code < 6 ? 144 << code : 1 << code
  if (code === 6 || code === 7) {
    samples = uintBE(bytes, end, code - 5) + 1
    end += code - 5
  }
  const rateCode = sizes & 15
  if (rateCode >= 12) end += rateCode === 12 ? 1 : 2
  if (end >= bytes.length || crc8(bytes, at, end) !== bytes[end]) return undefined
  const variable = (bytes[at + 1]! & 1) !== 0
  return { samples, firstSample: variable ? number : number * (info.blockSize || samples) }
}

/** A number coded like a letter in UTF-8, of up to 7 bytes, and the place behind it. */
function codedNumber(bytes: Uint8Array, at: number): [number | undefined, number] {
  const first = byteAt(bytes, at)
  const ones = Math.clz32(~first & 0xff) - 24
  if (ones === 0) return [first, at + 1]
  if (ones === 1 || ones > 7) return [undefined, at]
  let value = first & (0x7f >> ones)
  for (let i = 1; i < ones; i++) value = value * 64 + (byteAt(bytes, at + i) & 63)
  return [value, at + ones]
}

function crc8(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0
  for (let i = from; i < to; i++) {
    crc ^= bytes[i]!
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 7 : 0)) & 0xff
  }
  return crc
}

const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x8005 : 0)) & 0xffff
  return crc
})
