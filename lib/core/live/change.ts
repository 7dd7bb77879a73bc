import type { Session, SessionRef } from '../session.ts'
import type { LivePorts } from './ports.ts'

/**
 * Changes a session by conditional write; `decide` sees it as stored, and again after a lost race. Undefined: leave it.
 * Gives the session as it is then, or undefined when it is gone.
 */
export async function changeSession(
  { sessions, clock }: Pick<LivePorts, 'sessions' | 'clock'>,
  ref: SessionRef,
  decide: (session: Session) => Partial<Session> | undefined,
): Promise<Session | undefined> {
  for (;;) {
    const session = await sessions.get(ref)
    const change = session && decide(session)
    if (!session || !change) return session
    const next = { ...session, ...change, version: session.version + 1, updatedAt: clock() }
    const outcome = await sessions.replace(next)
    if (outcome === 'replaced') return next
    if (outcome === 'gone') return undefined
  }
}
