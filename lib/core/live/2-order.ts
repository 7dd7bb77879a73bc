import type { Chunk } from '../session.ts'
import type { IngestState } from './state.ts'

/** Taken in next: a chunk, or the place of one that is given up. */
export type Taken = { readonly chunk: Chunk } | { readonly lost: number }

export interface Order {
  /** In order of seq, without holes. */
  readonly take: Taken[]
  /** Since when the chunk after these has been missing although a later one is here, epoch ms. */
  readonly waitingSince?: number
  /** When the missing chunk is to be given up, epoch ms: come back then. */
  readonly wakeAt?: number
}

export interface OrderOptions {
  /** Nothing more will come: what is missing is lost. */
  readonly closing: boolean
  readonly missingMs: number
}

/** A hole of more chunks than these (5 minutes of 3 s each) is a client that counts anew: one chunk counts as lost. */
const MAX_LOST = 100

/** Who counts from 1 has no chunk 0. It is waited for only as long as two requests may overtake each other. */
const FIRST_MS = 1_000

/**
 * Says which chunks are taken in now. A missing one is waited for `missingMs` since a later one came; then it is lost,
 * and when it comes after all, nobody asks for it any more (`chunks` begin at `nextSeq`).
 *
 * Clients count from 0 or from 1. What is missing in front of the first chunk of all is waited for like any other, but
 * a single one only `FIRST_MS`; then the session begins with what is there, and a missing 0 is not counted as lost.
 */
export function orderChunks(
  ingest: IngestState,
  chunks: readonly Chunk[],
  now: number,
  { closing, missingMs }: OrderOptions,
): Order {
  const waiting = [...new Map(chunks.map((chunk) => [chunk.seq, chunk])).values()]
    .filter(({ seq }) => seq >= ingest.nextSeq)
    .sort((a, b) => a.seq - b.seq)
  const take: Taken[] = []
  let next = ingest.nextSeq
  for (const [i, chunk] of waiting.entries()) {
    if (chunk.seq > next) {
      // The clocks of several servers differ a little: a chunk can't have come later than now.
      const since = Math.min(now, ...waiting.slice(i).map(({ arrivedAt }) => arrivedAt))
      const first = ingest.received + ingest.missing === 0 && take.length === 0
      const wakeAt = since + (first && chunk.seq === 1 ? Math.min(FIRST_MS, missingMs) : missingMs)
      if (!closing && now < wakeAt) return { take, waitingSince: since, wakeAt }
      take.push(...lostBetween(first ? Math.max(1, next) : next, chunk.seq))
    }
    take.push({ chunk })
    next = chunk.seq + 1
  }
  return { take }
}

function lostBetween(from: number, to: number): Taken[] {
  const count = to - from
  const first = count > MAX_LOST ? to - 1 : from
  return Array.from({ length: to - first }, (_, i) => ({ lost: first + i }))
}
