import { byteAt, copyOf, findText, isAt, joinBytes, uintLE } from './bytes.ts'
import { type Format, type Header, type Scan, type ScanStart, span, type Unit } from './format.ts'
import { opusPacketMs } from './opus.ts'

/** A page (RFC 3533, section 6). */
interface Page {
  readonly at: number
  readonly body: number
  readonly end: number
  readonly serial: number
  /** It goes on with a packet of the page before. */
  readonly continued: boolean
  readonly begins: boolean
  /** Samples up to the end of the last packet that ends here; undefined when none does. */
  readonly granule: number | undefined
}

interface Codec {
  readonly rate: number
  readonly opus: boolean
  /** How many packets are header (RFC 7845: 2; Vorbis I, section 4.2.1: 3). */
  readonly headerPackets: number
}

const PAGE_HEAD = 27

function pageAt(bytes: Uint8Array, at: number): Page | undefined {
  if (!isAt(bytes, at, 'OggS\0') || byteAt(bytes, at + 5) > 7 || at + PAGE_HEAD > bytes.length)
    return undefined
  const lacing = byteAt(bytes, at + 26)
  const body = at + PAGE_HEAD + lacing
  if (body > bytes.length) return undefined
  let end = body
  for (let i = 0; i < lacing; i++) end += bytes[at + PAGE_HEAD + i]!
  const none = uintLE(bytes, at + 6, 4) === 0xffffffff && uintLE(bytes, at + 10, 4) === 0xffffffff
  const flags = byteAt(bytes, at + 5)
  return {
    ...{ at, body, end, serial: uintLE(bytes, at + 14, 4) },
    ...{ continued: (flags & 1) !== 0, begins: (flags & 2) !== 0 },
    granule: none ? undefined : uintLE(bytes, at + 6, 6),
  }
}

/** Lengths of the packets that end on a page; the last one may go on, then it is not among them. */
function packetSizes(bytes: Uint8Array, page: Page): number[] {
  const sizes: number[] = []
  let size = 0
  for (let i = page.at + PAGE_HEAD; i < page.body; i++) {
    size += bytes[i]!
    if (bytes[i]! < 255) {
      sizes.push(size)
      size = 0
    }
  }
  return sizes
}

/** Ogg with Opus, Vorbis, Speex or FLAC: its header packets fill pages of their own. */
export function readOgg(bytes: Uint8Array): Header {
  let sound: { serial: number; codec: Codec; packets: number } | undefined
  for (let at = 0; at < bytes.length; ) {
    const page = pageAt(bytes, at)
    if (!page) return bytes.length - at < PAGE_HEAD + 255 ? 'incomplete' : 'whole'
    if (page.end > bytes.length) return 'incomplete'
    const codec = page.begins ? codecOf(bytes, page) : undefined
    if (codec && !sound) sound = { serial: page.serial, codec, packets: 0 }
    if (!page.begins && (!sound || sound.packets >= sound.codec.headerPackets)) {
      return sound ? oggFormat(sound.codec, sound.serial, copyOf(bytes, 0, at)) : 'whole'
    }
    if (sound && page.serial === sound.serial) sound.packets += packetSizes(bytes, page).length
    at = page.end
  }
  return 'incomplete'
}

function codecOf(bytes: Uint8Array, { body }: Page): Codec | undefined {
  if (isAt(bytes, body, 'OpusHead')) return { rate: 48_000, opus: true, headerPackets: 2 }
  if (isAt(bytes, body, '\x01vorbis'))
    return { rate: uintLE(bytes, body + 12, 4), opus: false, headerPackets: 3 }
  if (isAt(bytes, body, 'Speex   '))
    return { rate: uintLE(bytes, body + 36, 4), opus: false, headerPackets: 2 + uintLE(bytes, body + 68, 4) }
  if (!isAt(bytes, body, '\x7fFLAC')) return undefined
  // Mapping version 1.0: how many header packets follow, then the native stream with STREAMINFO.
  const rate =
    (byteAt(bytes, body + 27) << 12) | (byteAt(bytes, body + 28) << 4) | (byteAt(bytes, body + 29) >> 4)
  return { rate, opus: false, headerPackets: 1 + byteAt(bytes, body + 7) * 256 + byteAt(bytes, body + 8) }
}

const oggFormat = (codec: Codec, serial: number, front: Uint8Array): Format => ({
  timed: codec.rate > 0,
  bodyAt: front.length,
  scan: (bytes, from) => scanOgg(bytes, from, codec, serial),
  build: (bytes, units) => joinBytes([front, span(bytes, units)]),
})

/** A unit is a page that begins with a packet of its own, with the pages that go on with its last one. */
function scanOgg(bytes: Uint8Array, from: ScanStart, { rate, opus }: Codec, serial: number): Scan {
  const units: Unit[] = []
  let ms = from.ms
  let at = from.at
  let lost = !from.synced
  let held: { at: number; durationMs: number } | undefined
  while (at < bytes.length) {
    const page = pageAt(bytes, at)
    if (!page && !mayBeCut(bytes, at)) {
      const next = findText(bytes, 'OggS', at + 1)
      lost = true
      held = undefined
      if (next < 0) return { units, rest: Math.max(at, bytes.length - 3) }
      at = next
      continue
    }
    if (!page || page.end > bytes.length) break
    const [begin, length] = [at, page.end - at]
    at += length
    if (page.serial !== serial || (page.continued && !held && lost)) continue
    const durationMs = (held?.durationMs ?? 0) + (opus ? opusMs(bytes, page, held !== undefined) : 0)
    held = { at: held?.at ?? begin, durationMs }
    if (page.granule === undefined || endsOpen(bytes, page)) continue
    const endMs = (page.granule / rate) * 1000
    const startMs = opus ? endMs - durationMs : lost ? endMs : ms
    units.push({
      at: held.at,
      end: at,
      ms: startMs,
      durationMs: endMs - startMs,
      ...(lost && { fresh: true }),
    })
    ms = endMs
    lost = false
    held = undefined
  }
  return { units, rest: held?.at ?? at }
}

/** Whether what is there may be the beginning of a page whose head is cut off. */
const mayBeCut = (bytes: Uint8Array, at: number): boolean =>
  bytes.length - at < PAGE_HEAD + 255 && isAt(bytes, at, 'OggS\0'.slice(0, Math.min(5, bytes.length - at)))

/** Whether its last packet goes on with the next page. */
const endsOpen = (bytes: Uint8Array, { body, end }: Page): boolean => end > body && bytes[body - 1] === 255

function opusMs(bytes: Uint8Array, page: Page, goesOn: boolean): number {
  let ms = 0
  let at = page.body
  for (const [i, size] of packetSizes(bytes, page).entries()) {
    // The packet that goes on was counted with its first part.
    if (i > 0 || !page.continued || !goesOn) ms += opusPacketMs(bytes.subarray(at, at + size))
    at += size
  }
  // One that goes on with the next page is counted here.
  return endsOpen(bytes, page) ? ms + opusPacketMs(bytes.subarray(at, page.end)) : ms
}
