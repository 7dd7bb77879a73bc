import { VerbatimError } from '../errors.ts'
import type { Session, SessionRef } from '../session.ts'
import { announce } from './1-chunk.ts'
import { sessionOf } from './10-read.ts'
import { changeSession } from './change.ts'
import type { LivePorts } from './ports.ts'
import { BEGINNING } from './state.ts'

/** No more sound is to come: what is there is heard to its end. Closing twice is harmless. */
export const closeSession =
  (ports: Pick<LivePorts, 'sessions' | 'clock' | 'live'>) =>
  async (ref: SessionRef, closedBy: NonNullable<Session['closedBy']> = 'client'): Promise<void> => {
    await sessionOf(ports, ref)
    const session = await changeSession(ports, ref, ({ state }) =>
      state === 'OPEN' ? { state: 'CLOSING', closedBy } : undefined,
    )
    if (!session) throw new VerbatimError('unknown-session', 'There is no such session.')
    if (session.state === 'CLOSING') await announce(ports, ref, `close-${ports.clock()}`)
  }

type TendPorts = Pick<LivePorts, 'sessions' | 'clock' | 'live' | 'liveSettings'> & {
  readonly sinks: ReadonlyArray<Pick<LivePorts['sinks'][number], 'name'>>
}

/**
 * To be called every few seconds: closes sessions whose client has sent nothing for long, or that last too long, and
 * wakes those that have something to do which nobody has announced. Gives how many were closed.
 */
export const closeIdle = (ports: TendPorts) => async (): Promise<number> => {
  let closed = 0
  for (const ref of await ports.sessions.listOpen()) {
    const session = await ports.sessions.get(ref)
    if (!session) continue
    const reason = session.state === 'OPEN' ? await endOf(ports, session) : undefined
    if (reason) {
      await closeSession(ports)(ref, reason)
      closed++
    } else if (await hasToDo(ports, session)) {
      await announce(ports, ref, `wake-${ports.clock()}`)
    }
  }
  return closed
}

/** Why a session is to be closed now, if it is. */
async function endOf(
  { sessions, clock, liveSettings: { idleMs, maxDurationMs } }: TendPorts,
  session: Session,
): Promise<'idle' | 'limit' | undefined> {
  const now = clock()
  if (now - session.createdAt >= maxDurationMs) return 'limit'
  const chunkAt = (await sessions.lastChunk(session))?.arrivedAt ?? 0
  if (now - Math.max(chunkAt, session.createdAt) < idleMs) return undefined
  // Somebody who is silent may still be there: names come as long as the client is.
  const [name] = (await sessions.speakers(session, { from: now })).slice(-1)
  return now - (name?.arrivedAt ?? 0) < idleMs ? undefined : 'idle'
}

/** A chunk that waits longer than this was not announced, or by a message that was lost. */
const UNNOTICED_MS = 2_000

/** Time alone gives a session something to do, or what was to be done has failed. */
async function hasToDo({ sessions, clock, sinks }: TendPorts, session: Session): Promise<boolean> {
  if (session.state === 'CLOSING') return true
  const { ingest, published, nextSegment } = (await sessions.live(session)) ?? BEGINNING
  if (ingest.waitingSince !== undefined) return true
  if (sinks.some(({ name }) => (published[name] ?? 0) < nextSegment)) return true
  const [waiting] = await sessions.chunks(session, { from: ingest.nextSeq, limit: 1 })
  return waiting !== undefined && clock() - waiting.arrivedAt > UNNOTICED_MS
}
