/** What a deployment knows about its own speed; for estimates only. */
export interface Pace {
  /** Seconds of a worker for a second of speech. */
  readonly workPerAudio: number
  /** Shards that are heard at the same time, at most. */
  readonly workers: number
  /** From a message to the first sound heard, where no worker is warm. */
  readonly startMs: number
  /** What an hour of one worker costs, in US dollars; left out: not known, or nothing. */
  readonly dollarsPerHour?: number
}

/** What a deployment may set about the batch lane. Times in ms, sizes in bytes. */
export interface BatchSettings {
  readonly maxUploadBytes: number
  /** Longest recording, in decoded time. */
  readonly maxDurationMs: number
  /** How long an upload URL holds. */
  readonly uploadTtlMs: number
  /** How long a job waits after that for an upload that began in time. */
  readonly uploadGraceMs: number
  readonly downloadTtlMs: number
  /** A worker that has not renewed its lease for so long counts as dead. */
  readonly leaseMs: number
  /** How often a worker renews its lease, writes progress and looks for a cancellation. */
  readonly heartbeatMs: number
  /** How often an attempt may end with a passing error before the job fails. */
  readonly maxFailures: number
  /** How often a job may be taken at all: a recording that kills every worker must not be tried for ever. */
  readonly maxAttempts: number
  /** Wall time for decoding: so much at least, and so much per megabyte. */
  readonly decodeTimeoutMs: number
  readonly decodeTimeoutPerMbMs: number
  /** How much speech a shard has, about: docs/adr/0014-shards.md. A recording of up to half more is not cut at all. */
  readonly shardMs: number
  /** So many shards a recording has at most; a longer one has longer shards. */
  readonly maxShards: number
  /** Left out: there are no estimates. */
  readonly pace?: Pace
  /** What an hour of this worker costs, in US dollars, for the bill of a job; left out: not known, or nothing. */
  readonly dollarsPerHour?: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
export const GIB = 1024 ** 3

export const DEFAULT_SETTINGS: BatchSettings = {
  maxUploadBytes: 20 * GIB,
  maxDurationMs: 24 * HOUR,
  uploadTtlMs: HOUR,
  uploadGraceMs: HOUR,
  downloadTtlMs: HOUR,
  leaseMs: MINUTE,
  heartbeatMs: 1000,
  maxFailures: 3,
  maxAttempts: 100,
  decodeTimeoutMs: 5 * MINUTE,
  decodeTimeoutPerMbMs: 2000,
  shardMs: 2 * MINUTE,
  maxShards: 1000,
}
