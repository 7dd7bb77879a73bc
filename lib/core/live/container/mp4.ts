import { ascii, byteAt, copyOf, findText, joinBytes, uint64BE, uintBE } from './bytes.ts'
import { type Format, type Header, MAX_HEADER_BYTES, type Scan, type ScanStart, type Unit } from './format.ts'

/** A box (ISO/IEC 14496-12, section 4.2): its content from `body` to `end`. */
interface Box {
  readonly type: string
  readonly at: number
  readonly body: number
  readonly end: number
}

/** A fragment of sound longer than this was made up. */
const MAX_FRAGMENT_BYTES = 16 * 1024 ** 2

function boxAt(bytes: Uint8Array, at: number, limit = bytes.length): Box | undefined {
  if (at + 8 > limit) return undefined
  const type = ascii(bytes, at + 4, 4)
  if (!/^[\x20-\x7e\xa9]{4}$/.test(type)) return undefined
  const short = uintBE(bytes, at, 4)
  if (short === 1) {
    if (at + 16 > limit) return undefined
    const size = uint64BE(bytes, at + 8)
    return size < 16 ? undefined : { type, at, body: at + 16, end: at + size }
  }
  if (short !== 0 && short < 8) return undefined
  return { type, at, body: at + 8, end: short === 0 ? Number.POSITIVE_INFINITY : at + short }
}

function* boxesIn(bytes: Uint8Array, from: number, to: number): Generator<Box> {
  for (let at = from; at < to; ) {
    const box = boxAt(bytes, at, to)
    if (!box || box.end > to) return
    yield box
    at = box.end
  }
}

function find(bytes: Uint8Array, parent: Box, ...path: string[]): Box | undefined {
  let found: Box | undefined = parent
  for (const type of path) {
    if (!found) return undefined
    found = [...boxesIn(bytes, found.body, found.end)].find((box) => box.type === type)
  }
  return found
}

interface Track {
  readonly id: number
  readonly timescale: number
  /** Of samples that don't say how long they are, in ticks (trex). */
  readonly sampleTicks: number
}

/** Fragmented MP4: `ftyp` and `moov` in front, then pairs of `moof` and `mdat`. One that is in one piece is `whole`. */
export function readMp4(bytes: Uint8Array): Header {
  let track: Track | undefined
  let moovEnd = 0
  for (let at = 0; at < Math.min(bytes.length, MAX_HEADER_BYTES); ) {
    const box = boxAt(bytes, at)
    if (!box) return bytes.length - at < 16 ? 'incomplete' : 'whole'
    if (FRAGMENT.has(box.type) && track) return mp4Format(track, copyOf(bytes, 0, moovEnd), at)
    if (box.type === 'mdat' || (box.end > bytes.length && box.type !== 'moov')) {
      return box.type === 'mdat' ? 'whole' : 'incomplete'
    }
    if (box.end > bytes.length) return box.end > MAX_HEADER_BYTES ? 'whole' : 'incomplete'
    if (box.type === 'moov') {
      track = soundTrack(bytes, box)
      moovEnd = box.end
      if (!track) return 'whole'
    }
    at = box.end
  }
  return bytes.length > MAX_HEADER_BYTES ? 'whole' : 'incomplete'
}

const FRAGMENT = new Set(['moof', 'styp', 'sidx', 'prft', 'emsg'])

function soundTrack(bytes: Uint8Array, moov: Box): Track | undefined {
  for (const trak of boxesIn(bytes, moov.body, moov.end)) {
    if (trak.type !== 'trak') continue
    const handler = find(bytes, trak, 'mdia', 'hdlr')
    const header = find(bytes, trak, 'mdia', 'mdhd')
    const tkhd = find(bytes, trak, 'tkhd')
    if (!handler || !header || !tkhd || ascii(bytes, handler.body + 8, 4) !== 'soun') continue
    const timescale = uintBE(bytes, header.body + (byteAt(bytes, header.body) === 1 ? 20 : 12), 4)
    const id = uintBE(bytes, tkhd.body + (byteAt(bytes, tkhd.body) === 1 ? 20 : 12), 4)
    const mvex = find(bytes, moov, 'mvex')
    const trexes = mvex ? [...boxesIn(bytes, mvex.body, mvex.end)] : []
    const trex = trexes.find(({ type, body }) => type === 'trex' && uintBE(bytes, body + 4, 4) === id)
    // Without `mvex` there are no fragments.
    if (!trex || timescale === 0) return undefined
    return { id, timescale, sampleTicks: uintBE(bytes, trex.body + 12, 4) }
  }
  return undefined
}

const mp4Format = (track: Track, front: Uint8Array, bodyAt: number): Format => ({
  timed: true,
  bodyAt,
  scan: (bytes, from) => scanMp4(bytes, from, track),
  build: (bytes, units) => joinBytes([front, moved(bytes, units, front.length)]),
})

/** A unit is a fragment with sound: from the first box that belongs to it to the end of its `mdat`. */
function scanMp4(bytes: Uint8Array, from: ScanStart, track: Track): Scan {
  const units: Unit[] = []
  let ms = from.ms
  let at = from.at
  let lost = !from.synced
  let begin: number | undefined
  let time: { ms: number; durationMs: number } | undefined
  while (at < bytes.length) {
    const box = lost && begin === undefined ? nextMoof(bytes, at) : boxAt(bytes, at)
    if (!box && lost && begin === undefined) return { units, rest: Math.max(from.at, bytes.length - 8) }
    if (!box && bytes.length - at < 16) break
    if (!box || !KNOWN.has(box.type) || box.end - box.at > MAX_FRAGMENT_BYTES) {
      lost = true
      begin = undefined
      at = (begin ?? at) + 1
      continue
    }
    if (box.end > bytes.length) return { units, rest: begin ?? box.at }
    begin ??= box.at
    if (box.type === 'moof') time = timeOf(bytes, box, track, ms)
    at = box.end
    if (box.type !== 'mdat') continue
    if (time) {
      units.push({ at: begin, end: at, ...time, ...(lost && { fresh: true }) })
      ms = time.ms + time.durationMs
      lost = false
    }
    begin = undefined
    time = undefined
  }
  return { units, rest: begin ?? at }
}

const KNOWN = new Set([...FRAGMENT, 'mdat', 'mfra', 'free', 'skip', 'uuid', 'ftyp', 'moov'])

function nextMoof(bytes: Uint8Array, from: number): Box | undefined {
  for (let at = findText(bytes, 'moof', from + 4); at >= 0; at = findText(bytes, 'moof', at + 1)) {
    const box = boxAt(bytes, at - 4)
    if (box && ascii(bytes, box.body + 4, 4) === 'mfhd') return box
  }
  return undefined
}

/** The times of the track's sound in a fragment; undefined when it has none. */
function timeOf(bytes: Uint8Array, moof: Box, track: Track, expectedMs: number) {
  for (const traf of boxesIn(bytes, moof.body, moof.end)) {
    const tfhd = traf.type === 'traf' ? find(bytes, traf, 'tfhd') : undefined
    if (!tfhd || uintBE(bytes, tfhd.body + 4, 4) !== track.id) continue
    let ticks = 0
    for (const trun of boxesIn(bytes, traf.body, traf.end)) {
      if (trun.type === 'trun')
        ticks += trunTicks(bytes, trun, defaultTicks(bytes, tfhd) ?? track.sampleTicks)
    }
    const tfdt = find(bytes, traf, 'tfdt')
    const long = tfdt !== undefined && byteAt(bytes, tfdt.body) === 1
    const start = tfdt && (long ? uint64BE(bytes, tfdt.body + 4) : uintBE(bytes, tfdt.body + 4, 4))
    const ms = start === undefined ? expectedMs : (start / track.timescale) * 1000
    return { ms, durationMs: (ticks / track.timescale) * 1000 }
  }
  return undefined
}

/** Optional fields of `tfhd` (section 8.8.7): each is there when its flag is set, in this order. */
function defaultTicks(bytes: Uint8Array, tfhd: Box): number | undefined {
  const flags = uintBE(bytes, tfhd.body + 1, 3)
  if (!(flags & 8)) return undefined
  return uintBE(bytes, tfhd.body + 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0), 4)
}

/** How long the samples of a run are (section 8.8.8). */
function trunTicks(bytes: Uint8Array, trun: Box, sampleTicks: number): number {
  const flags = uintBE(bytes, trun.body + 1, 3)
  const count = uintBE(bytes, trun.body + 4, 4)
  if (!(flags & 0x100)) return Math.min(count, 1_000_000) * sampleTicks
  const step = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length
  let at = trun.body + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0)
  let ticks = 0
  for (let i = 0; i < count && at + step <= trun.end; i++, at += step) ticks += uintBE(bytes, at, 4)
  return ticks
}

/** The units' bytes for a file in which the first begins at `to`: places counted from the file's beginning are moved. */
function moved(bytes: Uint8Array, units: readonly Unit[], to: number): Uint8Array {
  const from = units[0]?.at ?? 0
  const copy = copyOf(bytes, from, units.at(-1)?.end ?? from)
  for (const moof of boxesIn(copy, 0, copy.length)) {
    if (moof.type !== 'moof') continue
    for (const traf of boxesIn(copy, moof.body, moof.end)) {
      const tfhd = traf.type === 'traf' ? find(copy, traf, 'tfhd') : undefined
      if (!tfhd || !(uintBE(copy, tfhd.body + 1, 3) & 1) || tfhd.body + 16 > tfhd.end) continue
      // base-data-offset: all writers that use it mean the fragment's own beginning.
      new DataView(copy.buffer).setBigUint64(tfhd.body + 8, BigInt(moof.at + to))
    }
  }
  return copy
}
