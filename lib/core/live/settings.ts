/** What a deployment may set about the live lane. Times in ms, sizes in bytes. */
export interface LiveSettings {
  /** Largest chunk that is taken. */
  readonly maxChunkBytes: number
  /** How long a missing chunk is waited for once a later one has come. */
  readonly missingMs: number
  /** A session whose client has sent nothing for so long is closed. */
  readonly idleMs: number
  /** Longest session. */
  readonly maxDurationMs: number
  /** Least new sound for which the engine is asked. */
  readonly leastNewMs: number
  /** Longest window: what is over is settled and cut off. */
  readonly maxWindowMs: number
  /** How much sound may wait before the session counts as `behind`. */
  readonly behindMs: number
  /** How long segments are kept after the session has closed (Redis, records). */
  readonly segmentsTtlMs: number
}

const MINUTE = 60_000

export const LIVE_DEFAULTS: LiveSettings = {
  // Lambda takes 6 MB a request, base64 included.
  maxChunkBytes: 4 * 1024 ** 2,
  missingMs: 6_000,
  idleMs: 2 * MINUTE,
  maxDurationMs: 12 * 60 * MINUTE,
  leastNewMs: 800,
  maxWindowMs: 28_000,
  behindMs: 15_000,
  segmentsTtlMs: 24 * 60 * MINUTE,
}
