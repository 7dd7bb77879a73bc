import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { SessionStore } from '../../core/live/ports.ts'
import type { Clock } from '../../core/ports.ts'
import type { Session } from '../../core/session.ts'
import { readSession, sessionAfter, sessionCursor } from '../session-records.ts'
import type { Place } from './job-items.ts'
import { bodiesAt, MOST_KEYS, placesOf } from './places.ts'
import { headKey, listOf } from './session-items.ts'

/** Lists a tenant's sessions as job-list.ts lists jobs: their places from the newest on, then the records. */
export function createSessionList(
  db: DynamoDBDocumentClient,
  table: string,
  clock: Clock,
): SessionStore['list'] {
  async function heads(tenant: string, ids: readonly string[]): Promise<Map<string, Session>> {
    const keys = [...new Set(ids)].map((sessionId) => headKey({ tenant, sessionId }))
    const sessions = (await bodiesAt(db, table, keys, clock())).map(readSession)
    return new Map(sessions.map((session) => [session.sessionId, session]))
  }

  /** A place may outlive its session until the table clears it away, and the id may be another session's by then. */
  async function at(tenant: string, wanted: readonly Place[]): Promise<Session[]> {
    const sessions = await heads(
      tenant,
      wanted.map(({ jobId }) => jobId),
    )
    return wanted.flatMap(({ jobId, createdAt }) => {
      const session = sessions.get(jobId)
      return session?.createdAt === createdAt ? [session] : []
    })
  }

  return async (tenant, { cursor, limit }) => {
    const start = cursor === undefined ? undefined : sessionAfter(tenant, cursor)
    let last: Place | undefined = start && { createdAt: start.createdAt, jobId: start.sessionId }
    const found: Session[] = []
    // One more than asked for tells whether there is another page.
    const step = Math.min(MOST_KEYS, limit + 1)
    for (;;) {
      const next = await placesOf(db, table, { pk: listOf(tenant), after: last, limit: step })
      found.push(...(await at(tenant, next)))
      if (found.length > limit) {
        const sessions = found.slice(0, limit)
        return { sessions, cursor: sessionCursor(sessions.at(-1)!) }
      }
      if (next.length < step) return { sessions: found }
      last = next.at(-1)
    }
  }
}
