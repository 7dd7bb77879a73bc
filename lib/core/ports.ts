import type { ErrorCode } from './errors.ts'
import type { Job, Status } from './job.ts'
import type { JobRef } from './keys.ts'
import type { HeardSegment } from './transcript/shape.ts'

// A port is here only because something implements it twice: local and AWS adapters, or a test.

/** Epoch milliseconds. */
export type Clock = () => number

// ── Jobs ─────────────────────────────────────────────────────────────────────────────────────────────

export interface Page {
  readonly jobs: Job[]
  /** Opaque; absent on the last page. */
  readonly cursor?: string
}

export type CreateOutcome =
  | { readonly outcome: 'created' }
  /** The idempotency key was used before, for the job `jobId` whose request had this fingerprint. */
  | { readonly outcome: 'repeated'; readonly jobId: string; readonly fingerprint: string }

export type ReplaceOutcome =
  | { readonly outcome: 'replaced' }
  /** Somebody else wrote first; `current` is what they wrote. */
  | { readonly outcome: 'lost'; readonly current: Job }
  | { readonly outcome: 'gone' }

/** Job records. Every write is durable when its promise resolves. */
export interface JobStore {
  /**
   * Stores a new job. With `idempotency`, key and job are written together or not at all; a key is remembered
   * per tenant, for at least 24 hours.
   */
  create(job: Job, idempotency?: { key: string; fingerprint: string }): Promise<CreateOutcome>
  get(tenant: string, jobId: string): Promise<Job | undefined>
  /** Writes `next` only if the stored version is `next.version - 1`. */
  replace(next: Job): Promise<ReplaceOutcome>
  /** A tenant's own jobs, newest first. A cursor of another tenant or a broken one is `bad-request`. */
  list(tenant: string, query: { status?: Status; cursor?: string; limit: number }): Promise<Page>
  /** Forgets the job and its idempotency key. True if it was there. */
  remove(tenant: string, jobId: string): Promise<boolean>
}

// ── Shards ───────────────────────────────────────────────────────────────────────────────────────────

/** How one shard has ended. */
export interface ShardEnd {
  /** Its place among the job's shards, from 0. */
  readonly shard: number
  /** Its speech; what progress is reckoned by. */
  readonly audioMs: number
  /** How long workers were at it, and how much of that the engine. */
  readonly workMs: number
  readonly engineMs: number
  /** Why it could not be heard, where the job is to end without it. */
  readonly failed?: ErrorCode
}

/** What the workers of one job's shards have done together. */
export interface ShardTally {
  /** The shards that have ended, in no order. */
  readonly ended: readonly number[]
  /** Sums over those. */
  readonly audioMs: number
  readonly workMs: number
  readonly engineMs: number
  /** Those of them that could not be heard, with the reason. */
  readonly failed: ReadonlyArray<{ readonly shard: number; readonly code: ErrorCode }>
}

/**
 * Counts the shards of jobs. Many workers count at the same time; each call is atomic and durable when its promise
 * resolves, and the tally it answers with contains it.
 */
export interface ShardStore {
  /** Begins the tally of a job; one that was begun stays as it is. */
  begin(ref: JobRef): Promise<ShardTally>
  /** Undefined when there is no tally: the job has ended. */
  read(ref: JobRef): Promise<ShardTally | undefined>
  /** Counts a shard once: the second end of the same shard changes nothing. Undefined when there is no tally. */
  end(ref: JobRef, end: ShardEnd): Promise<ShardTally | undefined>
  /** Counts an attempt at a shard that has failed; answers how many have. Undefined when there is no tally. */
  fail(ref: JobRef, shard: number): Promise<number | undefined>
  /** Forgets the tally. */
  remove(ref: JobRef): Promise<void>
}

// ── Tokens ───────────────────────────────────────────────────────────────────────────────────────────

export interface TokenRecord {
  readonly tokenId: string
  readonly tenant: string
  /** A label for people. */
  readonly name: string
  /** Hex. */
  readonly salt: string
  /** Hex, SHA-256 over salt and secret. */
  readonly hash: string
  readonly createdAt: number
}

export interface TokenStore {
  put(record: TokenRecord): Promise<void>
  get(tokenId: string): Promise<TokenRecord | undefined>
  list(): Promise<TokenRecord[]>
  /** True if it was there. */
  remove(tokenId: string): Promise<boolean>
}

// ── Objects ──────────────────────────────────────────────────────────────────────────────────────────

export interface ObjectInfo {
  readonly key: string
  readonly sizeBytes: number
  readonly contentType: string
  readonly etag: string
}

/** What a client needs in order to send bytes straight to the store. */
export interface PresignedRequest {
  readonly url: string
  readonly method: 'PUT' | 'GET'
  readonly headers: Readonly<Record<string, string>>
}

export interface PartRef {
  readonly partNumber: number
  readonly etag: string
}

/** A file on this machine that holds an object's bytes. */
export interface LocalFile {
  readonly path: string
  /** Gives the file back; it must not be used afterwards. */
  release(): Promise<void>
}

/** Bytes by key, S3's semantics. A write is durable when its promise resolves. */
export interface ObjectStore {
  put(key: string, body: Uint8Array | string, contentType: string): Promise<void>
  /** Like `put`, in constant memory: for what is too large to be held. Nothing is stored when `source` fails. */
  putStream(key: string, source: AsyncIterable<Uint8Array>, contentType: string): Promise<void>
  get(key: string): Promise<Uint8Array | undefined>
  head(key: string): Promise<ObjectInfo | undefined>
  /** Keys that begin with `prefix`, in order. */
  list(prefix: string): Promise<string[]>
  /** Unknown keys are not an error. */
  remove(keys: readonly string[]): Promise<void>
  /** The object as a file, or undefined when there is none. */
  toFile(key: string): Promise<LocalFile | undefined>

  /** A URL that accepts exactly `sizeBytes` bytes of `contentType` for `key` until `expiresAt`. */
  presignPut(o: {
    key: string
    contentType: string
    sizeBytes: number
    expiresAt: number
  }): Promise<PresignedRequest>
  /** A URL that gives `key`, saved as `filename`, until `expiresAt`. */
  presignGet(o: {
    key: string
    contentType: string
    filename: string
    expiresAt: number
  }): Promise<PresignedRequest>

  startMultipart(o: { key: string; contentType: string }): Promise<string>
  presignPart(o: {
    key: string
    uploadId: string
    partNumber: number
    sizeBytes: number
    expiresAt: number
  }): Promise<PresignedRequest>
  /** The parts that have arrived, in order. */
  listParts(key: string, uploadId: string): Promise<Array<PartRef & { sizeBytes: number }>>
  /** Joins the parts; after this the object exists and its event is sent. Repeating it is harmless. */
  completeMultipart(key: string, uploadId: string, parts: readonly PartRef[]): Promise<void>
  abortMultipart(key: string, uploadId: string): Promise<void>
}

// ── Queue ────────────────────────────────────────────────────────────────────────────────────────────

export interface Message {
  readonly messageId: string
  /** Names this one delivery. */
  readonly receipt: string
  readonly body: string
  /** 1 for the first delivery. */
  readonly receiveCount: number
  readonly sentAt: number
  /** The same for all messages of one group; not always the text that they were sent with. */
  readonly group?: string
}

export interface SendOptions {
  readonly delayMs?: number
  /**
   * Messages of one group are delivered one after the other, in the order in which they became due: while one is
   * claimed, or waits to be tried again, nobody receives another of its group. Other groups are not held up.
   */
  readonly group?: string
  /** Names the message: sent again with the same body within 5 minutes it is dropped. */
  readonly dedupe?: string
}

/** One queue with SQS's semantics: at least once, a claim is invisible to others until its time is up. */
export interface Queue {
  send(body: string, options?: SendOptions): Promise<void>
  /**
   * At most `max` messages, each claimed for `visibilityMs`. Waits up to `waitMs` for the first; an aborted `signal`
   * ends the wait with no message. What comes in one reply may hold several of one group, in their order.
   */
  receive(o: { max: number; visibilityMs: number; waitMs: number; signal?: AbortSignal }): Promise<Message[]>
  /**
   * Claims for `visibilityMs` from now; 0 gives the message back, and the queue may pause before it is received
   * again. False if the claim was lost.
   */
  extend(receipt: string, visibilityMs: number): Promise<boolean>
  /** The work is done. False if the claim was lost. */
  remove(receipt: string): Promise<boolean>
}

// ── Sound ────────────────────────────────────────────────────────────────────────────────────────────

export interface DecodeLimits {
  readonly maxDurationMs: number
  /** Wall time for the whole file. */
  readonly timeoutMs: number
}

export interface DecodeOptions {
  readonly channels: 'mix' | 'separate'
  readonly limits: DecodeLimits
  readonly signal?: AbortSignal
  /** Each piece of decoded sound, in order, per channel (0 for `mix`): 16 kHz 16-bit samples. */
  onPcm?(channel: number, pcm16: Int16Array): void
}

/** Decoded sound, kept on disk: 16 kHz 16-bit samples per channel. */
export interface Recording {
  readonly durationMs: number
  readonly channels: number
  /** The container promised more sound than there was. */
  readonly truncated: boolean
  /** Samples of one channel from `startMs` to `endMs`, clipped to the recording. */
  read(channel: number, startMs: number, endMs: number): Promise<Int16Array>
  /** Deletes the files. */
  dispose(): Promise<void>
}

/**
 * Turns a media file into 16 kHz PCM. Fails with `empty-audio`, `bad-audio`, `unsupported-audio`, `too-long`,
 * `decode-timeout`, `cancelled` (signal) or `disk-full`.
 */
export interface Decoder {
  decode(path: string, options: DecodeOptions): Promise<Recording>
}

/** Makes sound small without loss, for the way from the worker that has cut it to those that hear it. */
export interface SoundPacker {
  pack(pcm16: Int16Array): Promise<Uint8Array>
  /** Fails with `internal` on bytes that `pack` has not made. */
  unpack(bytes: Uint8Array): Promise<Int16Array>
}

// ── Engine ───────────────────────────────────────────────────────────────────────────────────────────

export interface HearOptions {
  /** Whisper's code, never `auto`: detect once, then pin. */
  readonly language: string
  /** Glossary or context; the engine uses its last 224 tokens. */
  readonly prompt?: string
  /**
   * Hear with less effort where the sound is short: cheaper, and a little less sure. What seems wrong should be heard
   * again without. An engine that knows no such thing ignores it.
   */
  readonly brief?: boolean
  readonly signal?: AbortSignal
  /** Told how long the engine was busy with the request (ms), without the time that it waited for its turn. */
  onServed?(ms: number): void
}

/**
 * Turns PCM into words. Fails with `engine-crashed`, `engine-timeout`, `engine-missing`, `model-missing`,
 * `model-corrupt` or `cancelled` (signal).
 */
export interface Engine {
  readonly info: { readonly name: string; readonly version: string; readonly model: string }
  /** How many requests run side by side. */
  readonly width: number
  hear(pcm16: Int16Array, options: HearOptions): Promise<HeardSegment[]>
  detectLanguage(
    pcm16: Int16Array,
    options?: { signal?: AbortSignal },
  ): Promise<{ language: string; probability: number }>
}

// ── Log ──────────────────────────────────────────────────────────────────────────────────────────────

/** All that may be logged. The list is closed on purpose: there is no field that could hold speech or a name. */
export interface LogFields {
  readonly requestId?: string
  readonly jobId?: string
  readonly tenant?: string
  readonly tokenId?: string
  readonly messageId?: string
  readonly queue?: string
  readonly route?: string
  readonly method?: string
  readonly status?: number | Status
  readonly code?: string
  readonly attempt?: number
  readonly count?: number
  readonly bytes?: number
  readonly ms?: number
  readonly audioMs?: number
  /** How many words a transcript has. */
  readonly words?: number
  readonly pid?: number
  readonly model?: string
  readonly signal?: string
  /** Stack of an unforeseen error, message left out. */
  readonly stack?: string
}

export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** The same log with fields that go into every line. */
  with(fields: LogFields): Log
}
