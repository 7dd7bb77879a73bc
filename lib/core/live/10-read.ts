import { VerbatimError } from '../errors.ts'
import type { Session, SessionRef } from '../session.ts'
import type { SessionView, TranscriptionReply } from './contract.ts'
import type { LivePorts } from './ports.ts'
import { BEGINNING, type LiveState } from './state.ts'

type ReadPorts = Pick<LivePorts, 'sessions' | 'clock' | 'liveSettings'>

/** The session, or `unknown-session`: also for one of another tenant. */
export async function sessionOf(
  { sessions }: Pick<LivePorts, 'sessions'>,
  ref: SessionRef,
): Promise<Session> {
  const session = await sessions.get(ref)
  if (!session) throw new VerbatimError('unknown-session', 'There is no such session.')
  return session
}

/** Finals after `after`, in order, then the drafts as they are now, if that was all. */
export const readTranscription =
  (ports: ReadPorts) =>
  async (ref: SessionRef, query: { after?: number; limit: number }): Promise<TranscriptionReply> => {
    const session = await sessionOf(ports, ref)
    // The state first: a final that is written after it is not missing, its draft is shown once more.
    const live = (await ports.sessions.live(ref)) ?? BEGINNING
    const finals = await ports.sessions.segments(ref, query)
    const last = finals.at(-1)?.id ?? query.after ?? -1
    const drafts = finals.length < query.limit ? live.drafts.filter(({ id }) => id > last) : []
    const { sessionId, state, revision } = session
    return { sessionId, state, revision, change: live.change, segments: [...finals, ...drafts] }
  }

/** How a session does: what has come, what is missing, how far behind the words are. */
export const readSession =
  (ports: ReadPorts) =>
  async (ref: SessionRef): Promise<SessionView> => {
    const session = await sessionOf(ports, ref)
    const live = (await ports.sessions.live(ref)) ?? BEGINNING
    const [waiting] = await ports.sessions.chunks(ref, { from: live.ingest.nextSeq, limit: 1 })
    const names = (await ports.sessions.speakers(ref)).map(({ name }) => name.trim())
    const lagMs = waiting ? Math.max(0, ports.clock() - waiting.arrivedAt) : 0
    return {
      ...viewSession(session, live),
      ...{ lagMs, behind: lagMs > ports.liveSettings.behindMs },
      speakers: [...new Set(names.filter((name) => name !== ''))],
    }
  }

function viewSession(session: Session, { ingest, language, nextSegment }: LiveState) {
  const { sessionId, state, createdAt, updatedAt, jobId, revision, lastError } = session
  const code = language?.code ?? session.language
  return {
    ...{ sessionId, state, revision, segments: nextSegment, durationMs: ingest.endMs },
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
    chunks: { received: ingest.received, missing: ingest.missing, broken: ingest.broken },
    ...(code !== undefined && { language: code }),
    ...(jobId !== undefined && { jobId }),
    ...(lastError !== undefined && { lastError }),
  }
}

/** A page of the tenant's sessions, newest first. */
export const listSessions =
  ({ sessions }: Pick<LivePorts, 'sessions'>) =>
  async (tenant: string, query: { cursor?: string; limit: number }) => {
    const page = await sessions.list(tenant, query)
    return {
      sessions: page.sessions.map(({ sessionId, state, createdAt, updatedAt }) => ({
        ...{ sessionId, state },
        createdAt: new Date(createdAt).toISOString(),
        updatedAt: new Date(updatedAt).toISOString(),
      })),
      ...(page.cursor !== undefined && { cursor: page.cursor }),
    }
  }
