import type { Clock, Engine, Log, ObjectStore, Queue } from '../ports.ts'
import type { Chunk, Session, SessionRef, SpeakerEvent } from '../session.ts'
import type { LiveSegment } from './segment.ts'
import type { LiveSettings } from './settings.ts'
import type { LiveState } from './state.ts'

/**
 * Sessions, their chunks, names, steps and segments. Every write is durable when its promise resolves. Bytes of sound
 * are not here but in the object store.
 */
export interface SessionStore {
  /** Stores the session unless there is one; gives the one that is there then. */
  open(session: Session): Promise<{ readonly created: boolean; readonly session: Session }>
  get(ref: SessionRef): Promise<Session | undefined>
  /** Writes `next` only if the stored version is `next.version - 1`. */
  replace(next: Session): Promise<'replaced' | 'lost' | 'gone'>
  /** A tenant's own sessions, newest first. A cursor of another tenant or a broken one is `bad-request`. */
  list(
    tenant: string,
    query: { cursor?: string; limit: number },
  ): Promise<{ readonly sessions: Session[]; readonly cursor?: string }>
  /** Sessions of all tenants that are not CLOSED, in any order; for who looks after idle ones. */
  listOpen(): Promise<SessionRef[]>

  /**
   * Stores a chunk's record once; another post of the same seq changes nothing and is `repeated`. The very post that is
   * stored already is `added` again, so that who got no answer may ask again. `unknown-session` when there is none.
   */
  addChunk(ref: SessionRef, chunk: Chunk): Promise<'added' | 'repeated'>
  /** Chunks from `from` on in order of seq; there may be gaps. */
  chunks(ref: SessionRef, o: { from: number; limit: number }): Promise<Chunk[]>
  /** The chunk with the highest seq. */
  lastChunk(ref: SessionRef): Promise<Chunk | undefined>

  /** `unknown-session` when there is no such session. */
  addSpeaker(ref: SessionRef, event: SpeakerEvent): Promise<void>
  /**
   * Names of the session in order of `at`, those of one moment as they arrived. `from`: only what is needed to know who
   * speaks from then on, that is the last event before it and all later ones.
   */
  speakers(ref: SessionRef, o?: { from?: number }): Promise<SpeakerEvent[]>

  live(ref: SessionRef): Promise<LiveState | undefined>
  /**
   * Writes a step: the state, and finals that are new or revised, together or not at all. `lost` when the stored step
   * is not `state.step - 1`. At most 90 segments.
   */
  commit(
    ref: SessionRef,
    state: LiveState,
    segments: readonly LiveSegment[],
  ): Promise<'written' | 'lost' | 'gone'>
  /** Finals with an id above `after` (left out: from the first), in order. */
  segments(ref: SessionRef, o: { after?: number; limit: number }): Promise<LiveSegment[]>

  /** Forgets the session and all its records. True if it was there. */
  remove(ref: SessionRef): Promise<boolean>
}

/** Decoded sound of a few seconds: 16 kHz 16-bit samples, one channel. Empty when nothing can be decoded. */
export interface SoundReader {
  read(bytes: Uint8Array): Promise<Int16Array>
}

/**
 * Where finals go, besides the store. `publish` gets finals that follow each other without a gap, may be called any
 * number of times with the same ones, and takes each over once in effect. `zeroAt`: epoch ms of the session clock's 0.
 * It fails with `unavailable` when the sink can't be reached; the caller comes back later with the same finals.
 */
export interface Sink {
  readonly name: string
  publish(session: Session, segments: readonly LiveSegment[], zeroAt: number): Promise<void>
}

export interface LivePorts {
  readonly sessions: SessionStore
  readonly objects: ObjectStore
  readonly sound: SoundReader
  readonly engine: Engine
  /** Queue `live`: messages name sessions, in groups of one session each. */
  readonly live: Queue
  readonly clock: Clock
  readonly log: Log
  readonly liveSettings: LiveSettings
  readonly sinks: readonly Sink[]
  /** Random, never the same twice. */
  readonly newPostId: () => string
}
