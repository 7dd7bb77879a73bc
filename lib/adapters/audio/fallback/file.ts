import { fstatSync, readSync } from 'node:fs'
import type { Remark } from './backend.ts'

/** Where what the decoder learns about a file goes. */
export interface Facts {
  say(remark: Remark): void
  promise(ms: number): void
}

/** Nothing more can be decoded. */
export class Damaged extends Error {}

export class UnknownEncoding extends Error {
  readonly remark: 'no-track' | 'unknown-encoding'

  constructor(remark: 'no-track' | 'unknown-encoding' = 'unknown-encoding') {
    super(remark)
    this.remark = remark
  }
}

/** Some codecs copy what they get, some refuse more. */
export const PIECE_BYTES = 65_536
/** At most `length` bytes of the file from `at`. */
export function readAt(fd: number, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, fstatSync(fd).size - at)))
  let done = 0
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, at + done)
    if (count === 0) break
    done += count
  }
  return bytes.subarray(0, done)
}

/** The file from `from` to `to`, in pieces that every codec accepts. */
export function* pieces(fd: number, from: number, to = Number.POSITIVE_INFINITY): Generator<Uint8Array> {
  for (let at = from; at < to; at += PIECE_BYTES) {
    const piece = readAt(fd, at, Math.min(PIECE_BYTES, to - at))
    if (piece.length === 0) return
    yield piece
  }
}
