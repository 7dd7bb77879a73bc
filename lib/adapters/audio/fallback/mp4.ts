import { fstatSync } from 'node:fs'
import { Damaged, type Facts, pieces, readAt, UnknownEncoding } from './file.ts'

interface Box {
  readonly type: string
  readonly at: number
  /** Header included. */
  readonly size: number
  readonly headerBytes: number
}

/** The index of a day of sound is far smaller. */
const MAX_MOOV_BYTES = 64 * 1024 * 1024
const PARENTS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl'])

/**
 * An MP4 file in pieces, its index (`moov`) in one and always before the sound: many programs write it last, and a
 * decoder that is fed in order would have to hold the file until then. When it moves, the chunk offsets in it are
 * moved along (ISO/IEC 14496-12, 8.7.5), as qt-faststart does.
 */
export function* mp4Pieces(fd: number, facts: Facts): Generator<Uint8Array> {
  const boxes = [...topBoxes(fd)]
  const moov = boxes.find(({ type }) => type === 'moov')
  if (!moov || moov.size > MAX_MOOV_BYTES) throw new Damaged()
  const index = readAt(fd, moov.at, moov.size)
  if (index.length < moov.size) throw new Damaged()
  report(index, facts)
  const start = boxes.find(({ type }) => type === 'mdat')?.at ?? moov.at
  if (start >= moov.at) {
    yield readAt(fd, 0, moov.at + moov.size)
    yield* pieces(fd, moov.at + moov.size)
    return
  }
  moveOffsets(index, moov)
  const front = readAt(fd, 0, Math.min(start, MAX_MOOV_BYTES))
  yield Buffer.concat([front, index])
  yield* pieces(fd, start, moov.at)
  yield* pieces(fd, moov.at + moov.size)
}

function* topBoxes(fd: number): Generator<Box> {
  const end = fstatSync(fd).size
  for (let at = 0, seen = 0; at + 8 <= end && seen < 100_000; seen++) {
    const box = boxAt(readAt(fd, at, 16), 0, end - at)
    if (!box) return
    yield { ...box, at }
    at += box.size
  }
}

function boxAt(bytes: Uint8Array, at: number, room: number): Box | undefined {
  if (at + 8 > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
  const short = view.getUint32(at)
  if (short === 0) return { type, at, size: room, headerBytes: 8 }
  if (short !== 1) return short < 8 ? undefined : { type, at, size: short, headerBytes: 8 }
  if (at + 16 > bytes.length) return undefined
  const size = Number(view.getBigUint64(at + 8))
  return size < 16 || size > Number.MAX_SAFE_INTEGER ? undefined : { type, at, size, headerBytes: 16 }
}

/** Every box inside of `moov`, parents first. */
function* boxesIn(bytes: Uint8Array, from: number, to: number, depth = 0): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const box = boxAt(bytes, at, to - at)
    if (!box || at + box.size > to) return
    yield box
    if (PARENTS.has(box.type) && depth < 8)
      yield* boxesIn(bytes, at + box.headerBytes, at + box.size, depth + 1)
    at += box.size
  }
}

/** Says how long the film is and whether it has pictures. Fails if it has no sound. */
function report(index: Uint8Array, facts: Facts): void {
  const view = new DataView(index.buffer, index.byteOffset, index.length)
  const tracks = new Set<string>()
  for (const { type, at, size, headerBytes } of boxesIn(index, 0, index.length)) {
    const body = at + headerBytes
    if (type === 'hdlr' && size >= 24) tracks.add(String.fromCharCode(...index.subarray(body + 8, body + 12)))
    if (type === 'mvhd' && size >= 40) {
      const long = index[body] === 1
      const scale = view.getUint32(body + (long ? 20 : 12))
      const length = long ? Number(view.getBigUint64(body + 24)) : view.getUint32(body + 16)
      if (scale > 0 && length > 0 && length < 0xffffffff) facts.promise((length / scale) * 1000)
    }
  }
  if (tracks.has('vide')) facts.say('video')
  if (!tracks.has('soun')) throw new UnknownEncoding('no-track')
}

/** Adds the length of `moov` to every offset in front of which it is put. */
function moveOffsets(index: Uint8Array, moov: Box): void {
  const view = new DataView(index.buffer, index.byteOffset, index.length)
  for (const { type, at, size, headerBytes } of boxesIn(index, 0, index.length)) {
    if (type !== 'stco' && type !== 'co64') continue
    const width = type === 'stco' ? 4 : 8
    const table = at + headerBytes + 8
    const room = Math.floor((at + size - table) / width)
    const count = room < 0 ? 0 : Math.min(view.getUint32(table - 4), room)
    for (let entry = table; entry < table + count * width; entry += width) move(view, entry, width, moov)
  }
}

function move(view: DataView, entry: number, width: number, moov: Box): void {
  const offset = width === 4 ? view.getUint32(entry) : Number(view.getBigUint64(entry))
  if (offset >= moov.at) return
  const moved = offset + moov.size
  if (width === 8) view.setBigUint64(entry, BigInt(moved))
  // Short offsets reach 4 GB; beyond, the moved file can't be told.
  else if (moved > 0xffffffff) throw new Damaged()
  else view.setUint32(entry, moved)
}
