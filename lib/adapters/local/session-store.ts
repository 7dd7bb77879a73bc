import type { SessionStore } from '../../core/live/ports.ts'
import type { LiveSegment } from '../../core/live/segment.ts'
import type { LiveState } from '../../core/live/state.ts'
import type { Clock } from '../../core/ports.ts'
import type { Session, SessionRef } from '../../core/session.ts'
import {
  checkStep,
  readChunk,
  readLive,
  readSegment,
  readSession,
  readSpeaker,
  sessionAfter,
  sessionCursor,
  unknownSession,
} from '../session-records.ts'
import type { Database } from './database.ts'
import { statements } from './session-sql.ts'

export interface SessionStoreOptions {
  /**
   * How long a session is known after it was opened, with all its records; then it is as if it had never been. Longest
   * session and what is to be kept after it has closed (`maxDurationMs + segmentsTtlMs`) have to fit in.
   */
  readonly keepMs: number
  readonly clock?: Clock
}

/** The port, and what the host has to see to. */
export interface LocalSessionStore extends SessionStore {
  /** Forgets the sessions whose time is up and says which they were: their sound is still in the object store. */
  removeExpired(): Promise<SessionRef[]>
}

/** Sessions in the database of a data folder. */
export function createSessionStore(
  db: Database,
  { keepMs, clock = Date.now }: SessionStoreOptions,
): LocalSessionStore {
  const q = statements(db)

  /** The number that all records of the session have. */
  const find = ({ tenant, sessionId }: SessionRef): number | undefined =>
    q.number.get(tenant, sessionId, clock())?.session as number | undefined

  const get = ({ tenant, sessionId }: SessionRef): Session | undefined => {
    const row = q.select.get(tenant, sessionId, clock())
    return row && readSession(row.body)
  }

  /** Rows of the session's records, none when there is no such session. */
  function rows<T>(
    ref: SessionRef,
    ask: (session: number) => { body?: unknown }[],
    read: (body: unknown) => T,
  ): T[] {
    const found = db.read(() => {
      const session = find(ref)
      return session === undefined ? [] : ask(session)
    })
    return found.map(({ body }) => read(body))
  }

  function open(session: Session) {
    const { tenant, sessionId, version, state, createdAt } = session
    const there = get(session)
    if (there) return { created: false, session: there }
    q.erase.run(tenant, sessionId)
    q.insert.run(tenant, sessionId, version, state, createdAt, clock() + keepMs, JSON.stringify(session))
    return { created: true, session }
  }

  function replace(next: Session) {
    const { tenant, sessionId, version, state, createdAt } = next
    const there = get(next)
    if (there?.createdAt !== createdAt) return 'gone'
    const body = JSON.stringify(next)
    return q.update.run(version, state, body, tenant, sessionId, version - 1).changes === 1
      ? 'replaced'
      : 'lost'
  }

  function commit(ref: SessionRef, state: LiveState, segments: readonly LiveSegment[]) {
    const session = find(ref)
    if (session === undefined) return 'gone'
    const stored = Number(q.step.get(session)?.step ?? 0)
    if (stored !== state.step - 1) return 'lost'
    q.putStep.run(session, state.step, JSON.stringify(state))
    for (const segment of segments) q.putSegment.run(session, segment.id, JSON.stringify(segment))
    return 'written'
  }

  /** Runs a write on the records of a session that is there. */
  const write = <T>(ref: SessionRef, work: (session: number) => T): T =>
    db.transaction(() => {
      const session = find(ref)
      if (session === undefined) throw unknownSession()
      return work(session)
    })

  return {
    async open(session) {
      return db.transaction(() => open(session))
    },
    async get(ref) {
      return db.read(() => get(ref))
    },
    async replace(next) {
      return db.transaction(() => replace(next))
    },
    async list(tenant, { cursor, limit }) {
      const { createdAt, sessionId } = cursor === undefined ? NEWEST : sessionAfter(tenant, cursor)
      // One more than asked for tells whether there is another page.
      const found = db.read(() => q.page.all(tenant, clock(), createdAt, sessionId, limit + 1))
      const sessions = found.slice(0, limit).map(({ body }) => readSession(body))
      const last = sessions.at(-1)
      return found.length > limit && last ? { sessions, cursor: sessionCursor(last) } : { sessions }
    },
    async listOpen() {
      return db.read(() => q.open.all(clock())).map(refOf)
    },

    async addChunk(ref, chunk) {
      return write(ref, (session) => {
        if (q.addChunk.run(session, chunk.seq, chunk.post, JSON.stringify(chunk)).changes === 1)
          return 'added'
        return q.post.get(session, chunk.seq)?.post === chunk.post ? 'added' : 'repeated'
      })
    },
    async chunks(ref, { from, limit }) {
      return rows(ref, (session) => q.chunks.all(session, from, limit), readChunk)
    },
    async lastChunk(ref) {
      return rows(ref, (session) => q.lastChunk.all(session), readChunk)[0]
    },

    async addSpeaker(ref, event) {
      write(ref, (session) => q.addSpeaker.run(session, event.at, event.arrivedAt, JSON.stringify(event)))
    },
    async speakers(ref, { from } = {}) {
      const ask = (session: number) => {
        if (from === undefined) return q.speakers.all(session)
        return [...q.speakerBefore.all(session, from), ...q.speakersFrom.all(session, from)]
      }
      return rows(ref, ask, readSpeaker)
    },

    async live(ref) {
      return rows(ref, (session) => q.step.all(session), readLive)[0]
    },
    async commit(ref, state, segments) {
      checkStep(segments)
      return db.transaction(() => commit(ref, state, segments))
    },
    async segments(ref, { after = -1, limit }) {
      return rows(ref, (session) => q.segments.all(session, after, limit), readSegment)
    },

    async remove({ tenant, sessionId }) {
      // All its records go with it (ON DELETE CASCADE).
      return db.transaction(() => {
        const there = get({ tenant, sessionId }) !== undefined
        q.erase.run(tenant, sessionId)
        return there
      })
    },
    async removeExpired() {
      return db.transaction(() => q.eraseExpired.all(clock())).map(refOf)
    },
  }
}

/** A place before the newest session. */
const NEWEST = { createdAt: Number.MAX_SAFE_INTEGER, sessionId: '' }

const refOf = (row: { tenant?: unknown; session_id?: unknown }): SessionRef => ({
  tenant: String(row.tenant),
  sessionId: String(row.session_id),
})
