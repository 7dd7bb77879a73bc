import type { HeardSegment } from './shape.ts'

/** The segment and its words on a clock that runs `byMs` ahead; a negative `byMs` takes them back. */
export function shift(segment: HeardSegment, byMs: number): HeardSegment {
  const moved = <T extends { readonly startMs: number; readonly endMs: number }>(it: T): T => ({
    ...it,
    startMs: it.startMs + byMs,
    endMs: it.endMs + byMs,
  })
  return { ...moved(segment), words: segment.words.map(moved) }
}
