import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import type { SessionStore } from '../../core/live/ports.ts'
import type { Clock } from '../../core/ports.ts'
import type { Session } from '../../core/session.ts'
import { readSession, sessionAfter, sessionCursor } from '../session-records.ts'
import { isExpired } from './job-expiry.ts'
import { type Place, placeOf, placeText } from './job-items.ts'
import { headKey, listOf } from './session-items.ts'

/** The most that one BatchGetItem may ask for. */
const MOST_KEYS = 100

/** Lists a tenant's sessions as job-list.ts lists jobs: their places from the newest on, then the records. */
export function createSessionList(
  db: DynamoDBDocumentClient,
  table: string,
  clock: Clock,
): SessionStore['list'] {
  async function places(tenant: string, after: Place | undefined, limit: number): Promise<Place[]> {
    const { Items = [] } = await db.send(
      new QueryCommand({
        ...{ TableName: table, ConsistentRead: true, ScanIndexForward: false, Limit: limit },
        KeyConditionExpression: after ? 'pk = :pk AND sk < :after' : 'pk = :pk',
        ExpressionAttributeValues: { ':pk': listOf(tenant), ...(after && { ':after': placeText(after) }) },
      }),
    )
    return Items.map(({ sk }) => placeOf(String(sk)))
  }

  /** Sessions by id. Replies have a size limit, so some keys may have to be asked for again. */
  async function heads(tenant: string, ids: readonly string[]): Promise<Map<string, Session>> {
    const sessions = new Map<string, Session>()
    let Keys: Record<string, unknown>[] = [...new Set(ids)].map((sessionId) => headKey({ tenant, sessionId }))
    while (Keys.length > 0) {
      const request: BatchGetCommandInput = { RequestItems: { [table]: { Keys, ConsistentRead: true } } }
      const reply: BatchGetCommandOutput = await db.send(new BatchGetCommand(request))
      for (const item of reply.Responses?.[table] ?? []) {
        if (isExpired(item, clock())) continue
        const session = readSession(item.body)
        sessions.set(session.sessionId, session)
      }
      Keys = reply.UnprocessedKeys?.[table]?.Keys ?? []
    }
    return sessions
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
      const next = await places(tenant, last, step)
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
