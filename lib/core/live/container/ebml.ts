import { byteAt } from './bytes.ts'

/** Element ids of Matroska that matter here (RFC 9559, section 27.1), with their length marker. */
export const ID = {
  EBML: 0x1a45dfa3,
  Segment: 0x18538067,
  Info: 0x1549a966,
  TimestampScale: 0x2ad7b1,
  Tracks: 0x1654ae6b,
  TrackEntry: 0xae,
  TrackNumber: 0xd7,
  TrackType: 0x83,
  CodecId: 0x86,
  Cluster: 0x1f43b675,
  Timestamp: 0xe7,
  SimpleBlock: 0xa3,
  BlockGroup: 0xa0,
  Block: 0xa1,
} as const

/** Where an element lies: from its id at `at`, its content from `body` to `end` (infinite: not known). */
export interface Element {
  readonly id: number
  readonly at: number
  readonly body: number
  readonly end: number
}

/** The element whose id begins here; undefined when it can't be one, or its head is cut off (RFC 8794). */
export function elementAt(bytes: Uint8Array, at: number): Element | undefined {
  const idLength = Math.clz32(byteAt(bytes, at)) - 23
  if (idLength > 4 || at + idLength >= bytes.length) return undefined
  const sizeAt = at + idLength
  const sizeLength = Math.clz32(byteAt(bytes, sizeAt)) - 23
  const body = sizeAt + sizeLength
  if (sizeLength > 8 || body > bytes.length) return undefined
  let id = 0
  for (let i = 0; i < idLength; i++) id = id * 256 + byteAt(bytes, at + i)
  let size = byteAt(bytes, sizeAt) & (0xff >> sizeLength)
  let ones = size === 0xff >> sizeLength
  for (let i = 1; i < sizeLength; i++) {
    ones &&= byteAt(bytes, sizeAt + i) === 0xff
    size = size * 256 + byteAt(bytes, sizeAt + i)
  }
  return { id, at, body, end: ones ? Number.POSITIVE_INFINITY : body + size }
}

/** The elements inside one, as far as they are there. */
export function* insideOf(bytes: Uint8Array, parent: Element): Generator<Element> {
  for (let at = parent.body; at < Math.min(parent.end, bytes.length); ) {
    const element = elementAt(bytes, at)
    if (!element || element.end > parent.end) return
    yield element
    at = element.end
  }
}
