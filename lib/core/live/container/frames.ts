import { copyOf, findText, isAt } from './bytes.ts'
import { type Format, type Header, type Scan, type ScanStart, span, type Unit } from './format.ts'

/** A frame of a stream that has nothing but frames: how long it is, in bytes and in time. */
export interface Frame {
  readonly bytes: number
  readonly durationMs: number
}

/** The frame that begins here; undefined when none can. The last bytes of `bytes` may be cut off. */
export type FrameReader = (bytes: Uint8Array, at: number) => Frame | undefined

/** So many frames in a row that fit are no accident. */
const CHAIN = 3

/** Streams of frames that tell their length but not their time: MP3, ADTS, AMR. */
const framesFormat = (frameAt: FrameReader, bodyAt: number, front: Uint8Array): Format => ({
  timed: false,
  bodyAt,
  scan: (bytes, from) => scanFrames(bytes, from, frameAt),
  build: (bytes, units) => {
    const sound = span(bytes, units)
    const file = new Uint8Array(front.length + sound.length)
    file.set(front)
    file.set(sound, front.length)
    return file
  },
})

function scanFrames(bytes: Uint8Array, from: ScanStart, frameAt: FrameReader): Scan {
  const units: Unit[] = []
  let ms = from.ms
  let at = from.at
  let lost = !from.synced
  while (at < bytes.length) {
    const frame = lost && !isFrameChain(bytes, at, frameAt) ? undefined : frameAt(bytes, at)
    if (!frame) {
      if (!lost && bytes.length - at < LONGEST_HEAD) break
      lost = true
      at++
      continue
    }
    if (at + frame.bytes > bytes.length) break
    const end = at + frame.bytes
    units.push({ at, end, ms, durationMs: frame.durationMs, ...(lost && { fresh: true }) })
    ms += frame.durationMs
    lost = false
    at = end
  }
  return { units, rest: Math.min(at, bytes.length) }
}

const LONGEST_HEAD = 8

/** Whether several frames follow each other here, or as many as there are bytes for but one at least. */
export function isFrameChain(bytes: Uint8Array, from: number, frameAt: FrameReader): boolean {
  let at = from
  for (let links = 0; links < CHAIN; links++) {
    if (links > 0 && at === bytes.length) return true
    const frame = frameAt(bytes, at)
    if (!frame || at + frame.bytes > bytes.length) return links > 1 && frame !== undefined
    at += frame.bytes
  }
  return true
}

/** MPEG-1/2/2.5 layer III (ISO/IEC 11172-3, 13818-3). */
export const mp3FrameAt: FrameReader = (bytes, at) => {
  const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3)
  const version = (b >> 3) & 3
  if (a !== 0xff || (b & 0xe6) !== 0xe2 || version === 1) return undefined
  const kbits = (version === 3 ? MPEG1_KBITS : MPEG2_KBITS)[c >> 4]
  const rate = [44_100, 48_000, 32_000][(c >> 2) & 3]
  if (!kbits || !rate) return undefined
  const hz = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4
  const samples = version === 3 ? 1152 : 576
  return {
    bytes: Math.floor((samples * 125 * kbits) / hz) + ((c >> 1) & 1),
    durationMs: (samples / hz) * 1000,
  }
}

const MPEG1_KBITS = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0]
const MPEG2_KBITS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0]

/** AAC in ADTS (ISO/IEC 13818-7, section 6.2). */
export const adtsFrameAt: FrameReader = (bytes, at) => {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = bytes.subarray(at, at + 7)
  const rate = ADTS_RATES[(c >> 2) & 15]
  const length = ((d & 3) << 11) | (e << 3) | (f >> 5)
  if (a !== 0xff || (b & 0xf6) !== 0xf0 || !rate || length < 7) return undefined
  return { bytes: length, durationMs: ((1024 * ((g & 3) + 1)) / rate) * 1000 }
}

const ADTS_RATES = [
  ...[96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000],
  ...[22_050, 16_000, 12_000, 11_025, 8_000, 7_350],
]

/** AMR, narrow and wide band (RFC 4867, section 5.3): frames of 20 ms, of a length by type. */
const amrFrameAt =
  (sizes: readonly number[]): FrameReader =>
  (bytes, at) => {
    const head = bytes[at]
    const size = head === undefined || (head & 0x83) !== 0 ? undefined : sizes[head >> 3]
    return size === undefined ? undefined : { bytes: size + 1, durationMs: 20 }
  }

const AMR_NB = amrFrameAt([12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5, 0, 0, 0, 0])
const AMR_WB = amrFrameAt([17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 5, 0, 0, 0, 0, 0])

/** One channel; several (`#!AMR_MC1.0`) are whole. */
export function readAmr(bytes: Uint8Array): Header {
  const wide = isAt(bytes, 0, '#!AMR-WB\n')
  if (!wide && !isAt(bytes, 0, '#!AMR\n')) return bytes.length < 9 ? 'incomplete' : 'whole'
  const bodyAt = wide ? 9 : 6
  return framesFormat(wide ? AMR_WB : AMR_NB, bodyAt, copyOf(bytes, 0, bodyAt))
}

/** MP3 and ADTS: no header but for tags, which are stepped over (id3.org, ID3v2.4 section 3.1). */
export function readMpeg(bytes: Uint8Array): Header {
  let bodyAt = 0
  if (isAt(bytes, 0, 'ID3')) {
    if (bytes.length < 10) return 'incomplete'
    bodyAt = 10 + bytes.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 127), 0)
  }
  if (bytes.length < bodyAt + LONGEST_HEAD) return 'incomplete'
  if (adtsFrameAt(bytes, bodyAt)) return framesFormat(adtsFrameAt, bodyAt, new Uint8Array(0))
  if (mp3FrameAt(bytes, bodyAt)) return framesFormat(mp3FrameAt, mp3Body(bytes, bodyAt), new Uint8Array(0))
  return 'whole'
}

/** The first frame may hold no sound but a table of contents, as encoders write it. */
function mp3Body(bytes: Uint8Array, at: number): number {
  return isTableFrame(bytes, at) ? at + mp3FrameAt(bytes, at)!.bytes : at
}

/** Whether the MP3 frame here is such a table: then a new file begins. */
export function isTableFrame(bytes: Uint8Array, at: number): boolean {
  const frame = mp3FrameAt(bytes, at)
  if (!frame) return false
  const inside = bytes.subarray(at, at + Math.min(frame.bytes, 64))
  return findText(inside, 'Xing', 4) >= 0 || findText(inside, 'Info', 4) >= 0
}
