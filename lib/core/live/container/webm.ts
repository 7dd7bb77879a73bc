import { byteAt, copyOf, isAt, joinBytes, uintBE } from './bytes.ts'
import { type Element, elementAt, ID, insideOf } from './ebml.ts'
import {
  type Format,
  type Header,
  MAX_HEADER_BYTES,
  type Scan,
  type ScanStart,
  span,
  type Unit,
} from './format.ts'
import { opusPacketMs } from './opus.ts'

/** Blocks may stand a little before their time, rounded or in the order of their tracks. */
const JITTER_MS = 500
/** So many blocks in a row that fit are no accident: each fits by accident once in 2^24 or so. */
const CHAIN = 3
const UNKNOWN_SIZE = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]

/** What the scanner must know of the track that is heard. */
interface Track {
  readonly number: number
  readonly opus: boolean
  /** Of one tick, ms. */
  readonly tickMs: number
}

/** WebM and Matroska (RFC 9559): EBML header, Segment, Info and Tracks in front, then Clusters with blocks of sound. */
export function readWebm(bytes: Uint8Array): Header {
  const ebml = elementAt(bytes, 0)
  if (ebml?.id !== ID.EBML) return 'whole'
  let info: Element | undefined
  let tracks: Element | undefined
  for (let at = ebml.end; at < Math.min(bytes.length, MAX_HEADER_BYTES); ) {
    const element = elementAt(bytes, at)
    if (!element) return bytes.length - at < 12 ? 'incomplete' : 'whole'
    if (element.id === ID.Cluster) {
      const track = tracks && soundTrack(bytes, tracks, info)
      if (!track) return 'whole'
      const front = frontOf(bytes, ebml, info, tracks!)
      return webmFormat(track, front, at)
    }
    if (element.id === ID.Info) info = element
    if (element.id === ID.Tracks) tracks = element
    at = element.id === ID.Segment ? element.body : element.end
  }
  return bytes.length > MAX_HEADER_BYTES ? 'whole' : 'incomplete'
}

/** A header for a part: without the index of places that it does not have. */
function frontOf(bytes: Uint8Array, ebml: Element, info: Element | undefined, tracks: Element): Uint8Array {
  const segment = Uint8Array.of(0x18, 0x53, 0x80, 0x67, ...UNKNOWN_SIZE)
  const copy = (element: Element): Uint8Array => copyOf(bytes, element.at, element.end)
  return joinBytes([copy(ebml), segment, ...(info ? [copy(info)] : []), copy(tracks)])
}

function soundTrack(bytes: Uint8Array, tracks: Element, info: Element | undefined): Track | undefined {
  let tickNs = 1_000_000
  if (info) for (const e of insideOf(bytes, info)) if (e.id === ID.TimestampScale) tickNs = numberOf(bytes, e)
  for (const entry of insideOf(bytes, tracks)) {
    if (entry.id !== ID.TrackEntry) continue
    const inside = [...insideOf(bytes, entry)]
    const value = (id: number): number => {
      const found = inside.find((e) => e.id === id)
      return found ? numberOf(bytes, found) : 0
    }
    if (value(ID.TrackType) !== 2) continue
    const codec = inside.find((e) => e.id === ID.CodecId)
    const opus = codec !== undefined && isAt(bytes, codec.body, 'A_OPUS')
    return { number: value(ID.TrackNumber), opus, tickMs: (tickNs || 1_000_000) / 1e6 }
  }
  return undefined
}

const numberOf = (bytes: Uint8Array, { body, end }: Element): number => {
  const from = Math.max(body, end - 6)
  return Number.isFinite(end) ? uintBE(bytes, from, end - from) : 0
}

const webmFormat = (track: Track, front: Uint8Array, bodyAt: number): Format => ({
  timed: true,
  bodyAt,
  scan: (bytes, from) => scanWebm(bytes, from, track),
  build: (bytes, units) => joinBytes([front, clusterOf(units[0]?.base ?? 0, track), span(bytes, units)]),
})

/** The beginning of a cluster that has no end; `base` in ms. */
function clusterOf(base: number, { tickMs }: Track): Uint8Array {
  const ticks = Math.max(0, Math.round(base / tickMs))
  const time = Array.from({ length: 6 }, (_, i) => Math.floor(ticks / 256 ** (5 - i)) % 256)
  return Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, ...UNKNOWN_SIZE, 0xe7, 0x86, ...time)
}

/** Walks over the elements, in and out of clusters; a cluster's size does not matter, so it may be unknown. */
function scanWebm(bytes: Uint8Array, from: ScanStart, track: Track): Scan {
  const units: Unit[] = []
  let base = from.base
  let at = from.at
  let fresh = !from.synced
  let seeking = fresh
  // Whether the cluster's time has been read right before; and from where on times are guesses.
  let told = false
  let guessed: number | undefined
  while (at < bytes.length) {
    if (seeking) {
      at = nextPlace(bytes, at, track)
      if (at < 0) return { units, rest: bytes.length }
      seeking = false
    }
    const element = elementAt(bytes, at)
    if (!element && bytes.length - at < 12) break
    if (!element || !isKnown(element, bytes, track)) {
      fresh = true
      seeking = true
      at++
      continue
    }
    if (element.id === ID.Cluster || element.id === ID.Segment) {
      at = element.body
      continue
    }
    if (element.end > bytes.length) break
    if (element.id === ID.Timestamp) {
      base = numberOf(bytes, element) * track.tickMs
      told = true
    }
    const unit = unitOf(bytes, element, track, { base, told }, units.at(-1), from)
    if (unit) {
      if (unit.base !== base) guessed ??= units.length
      if (told && guessed !== undefined && !fresh) correct(units, guessed, unit.ms)
      if (told || fresh) guessed = unit.base === base ? undefined : units.length
      units.push(fresh ? { ...unit, fresh: true } : unit)
      base = unit.base
      fresh = false
      told = false
    }
    at = element.end
  }
  return { units: track.opus ? units : withDurations(units), rest: at }
}

/** Guessed times become known when those that follow without a hole are told: the last one ends at `ms`. */
function correct(units: Unit[], from: number, ms: number): void {
  const last = units.at(-1)!
  const shift = ms - last.ms - last.durationMs
  for (let i = from; i < units.length; i++) {
    const unit = units[i]!
    units[i] = { ...unit, ms: unit.ms + shift, base: unit.base! + shift }
  }
}

/** Elements of the levels on which blocks and clusters lie, of a size that can be. */
function isKnown(element: Element, bytes: Uint8Array, track: Track): boolean {
  const size = element.end - element.body
  if (element.id === ID.SimpleBlock || element.id === ID.BlockGroup) {
    const block = blockOf(bytes, element)
    if (!block || block.at + 4 > bytes.length) return size <= MAX_BLOCK_BYTES
    const heard = byteAt(bytes, block.at) === (track.number | 0x80)
    return isBlock(bytes, block.at) && size <= (heard ? MAX_BLOCK_BYTES : MAX_PICTURE_BYTES)
  }
  return size <= (MOST_BYTES.get(element.id) ?? 0)
}

/** Larger is no block of sound. */
const MAX_BLOCK_BYTES = 64 * 1024
const MAX_PICTURE_BYTES = 4 * 1024 ** 2

/** What else may stand there, and how long it may be: a short id turns up in any garbage. */
const MOST_BYTES: ReadonlyMap<number, number> = new Map([
  ...[ID.Cluster, ID.Segment].map((id) => [id, Number.POSITIVE_INFINITY] as const),
  // Cues, Tags, SeekHead, Chapters, Attachments
  ...[ID.EBML, ID.Info, ID.Tracks, 0x1c53bb6b, 0x1254c367, 0x114d9b74, 0x1043a770, 0x1941a469].map(
    (id) => [id, 1024 ** 2] as const,
  ),
  // CRC-32, Position, PrevSize
  ...[ID.Timestamp, 0xbf, 0xa7, 0xab].map((id) => [id, 8] as const),
  // Void
  [0xec, 8192],
])

/** Track number (there are few tracks, of pictures too), time, flags: the bits that must be 0 are. */
const isBlock = (bytes: Uint8Array, at: number): boolean =>
  (byteAt(bytes, at) & 0x80) !== 0 && (byteAt(bytes, at) & 0x7f) <= 8 && (byteAt(bytes, at + 3) & 0x70) === 0

/** The next cluster, or block at the head of a chain of blocks; -1 when there is none. */
function nextPlace(bytes: Uint8Array, from: number, track: Track): number {
  for (let at = from; at < bytes.length; at++) {
    const first = bytes[at]
    if (first === 0x1f && uintBE(bytes, at, 4) === ID.Cluster) return at
    if ((first === 0xa3 || first === 0xa0) && isChain(bytes, at, track)) return at
  }
  return -1
}

function isChain(bytes: Uint8Array, from: number, track: Track): boolean {
  let at = from
  for (let links = 0; links < CHAIN; links++) {
    const element = elementAt(bytes, at)
    if (element?.id === ID.Cluster && links > 0) return true
    const block = element && blockOf(bytes, element)
    if (!block || element.end > bytes.length || byteAt(bytes, block.at) !== (track.number | 0x80))
      return false
    if (element.end - element.at > MAX_BLOCK_BYTES || !isBlock(bytes, block.at)) return false
    at = element.end
  }
  return true
}

function blockOf(bytes: Uint8Array, element: Element): { at: number; end: number } | undefined {
  if (element.id === ID.SimpleBlock) return { at: element.body, end: element.end }
  if (element.id !== ID.BlockGroup) return undefined
  for (const inner of insideOf(bytes, element))
    if (inner.id === ID.Block) return { at: inner.body, end: inner.end }
  return undefined
}

function unitOf(
  bytes: Uint8Array,
  element: Element,
  track: Track,
  { base, told }: { base: number | undefined; told: boolean },
  last: Unit | undefined,
  from: ScanStart,
): Unit | undefined {
  const block = blockOf(bytes, element)
  if (!block || byteAt(bytes, block.at) !== (track.number | 0x80)) return undefined
  const ticks = (uintBE(bytes, block.at + 1, 2) << 16) >> 16
  const tickedMs = ticks * track.tickMs
  // Without the cluster's time, or with that of an earlier one, the block is taken to follow on what came last.
  const least = told ? Number.NEGATIVE_INFINITY : (last?.ms ?? from.leastMs) - JITTER_MS
  const known = base !== undefined && base + tickedMs >= least
  const cluster = known ? base : (last ? last.ms + last.durationMs : from.ms) - tickedMs
  const durationMs = track.opus ? opusPacketMs(bytes.subarray(block.at + 4, block.end)) : 0
  return { at: element.at, end: element.end, ms: cluster + tickedMs, durationMs, base: cluster }
}

/** Where the blocks don't say how long they are, each lasts until the next. */
function withDurations(units: readonly Unit[]): Unit[] {
  const steps = units.slice(1).map(({ ms }, i) => ms - units[i]!.ms)
  const usual = steps.toSorted((a, b) => a - b)[steps.length >> 1] ?? 20
  return units.map((unit, i) => {
    const step = steps[i] ?? usual
    return { ...unit, durationMs: step > 0 && step < 10 * usual ? step : usual }
  })
}
