import type { SessionRef } from '../session.ts'
import type { LiveSegment } from './segment.ts'

/** Tokens are made for this tenant unless a name is given: its sessions have the plain names outside. */
export const DEFAULT_TENANT = 'default'

/** A final as it leaves the service. `start` and `end` of a word are seconds from the session's start. */
export interface PublishedSegment {
  readonly content: string
  /** ISO 8601, UTC, with milliseconds. */
  readonly start_timestamp: string
  readonly end_timestamp: string
  readonly speaker: string | null
  readonly words: ReadonlyArray<{ word: string; start: number; end: number; probability: number }>
  readonly session_id: string
  readonly segment_id: number
  readonly revision: number
  /** Only where it is not the default tenant. */
  readonly tenant?: string
}

/** What Redis and webhooks get of a final. `zeroAt`: epoch ms of the session clock's 0. */
export function publishedSegment(
  { tenant, sessionId }: SessionRef,
  { id, text, startMs, endMs, speaker, words, revision }: LiveSegment,
  zeroAt: number,
): PublishedSegment {
  const iso = (ms: number) => new Date(zeroAt + ms).toISOString()
  return {
    content: text,
    start_timestamp: iso(startMs),
    end_timestamp: iso(endMs),
    speaker: speaker ?? null,
    words: words.map((word) => ({
      word: word.text,
      start: word.startMs / 1000,
      end: word.endMs / 1000,
      probability: word.probability,
    })),
    session_id: sessionId,
    segment_id: id,
    revision,
    ...(tenant !== DEFAULT_TENANT && { tenant }),
  }
}
