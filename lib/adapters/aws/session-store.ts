import { randomUUID } from 'node:crypto'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import type { SessionStore } from '../../core/live/ports.ts'
import type { Clock } from '../../core/ports.ts'
import type { Session, SessionRef } from '../../core/session.ts'
import { readSession } from '../session-records.ts'
import { untilNoConflict } from './conflicts.ts'
import { withAwsErrors } from './errors.ts'
import { epochSeconds, isExpired } from './job-expiry.ts'
import { numberIn, textIn } from './job-items.ts'
import { deleteItems, queryRange } from './range.ts'
import { refusal } from './refusal.ts'
import { headKey, LIVE, OPEN, openKey, openRef, placeKey, recordsOf } from './session-items.ts'
import { createSessionList } from './session-list.ts'
import { createSessionRecords } from './session-records.ts'

export interface SessionStoreOptions {
  /**
   * How long a session is known after it was opened, with all its records; then it is as if it had never been. Longest
   * session and what is to be kept after it has closed (`maxDurationMs + segmentsTtlMs`) have to fit in.
   */
  readonly keepMs: number
  readonly clock?: Clock
}

/** What there is to know before a record of a session can be read or written. */
export interface Head {
  readonly session: Session
  readonly life: string
  /** Epoch seconds. */
  readonly ttl: number
}

/** Sessions in the table; session-items.ts shows how. Every read is consistent, every write conditional. */
export function createSessionStore(
  db: DynamoDBDocumentClient,
  table: string,
  { keepMs, clock = Date.now }: SessionStoreOptions,
): SessionStore {
  const TableName = table
  const transact = (TransactItems: TransactWriteCommandInput['TransactItems']) =>
    untilNoConflict(() => db.send(new TransactWriteCommand({ TransactItems })))

  async function head(ref: SessionRef): Promise<Head | undefined> {
    const { Item } = await db.send(new GetCommand({ TableName, Key: headKey(ref), ConsistentRead: true }))
    if (!Item || isExpired(Item, clock())) return undefined
    return { session: readSession(Item.body), life: String(Item.life), ttl: Number(Item.ttl) }
  }

  async function open(session: Session) {
    const there = await head(session)
    if (there) return { created: false, session: there.session }
    const life = randomUUID()
    const ttl = epochSeconds(clock() + keepMs)
    try {
      await transact([
        { Put: putHead(TableName, session, { life, ttl, now: epochSeconds(clock()) }) },
        { Put: { TableName, Item: { pk: recordsOf(session, life), sk: LIVE, step: 0, ttl } } },
        { Put: { TableName, Item: { ...placeKey(session), ttl } } },
        ...(session.state === 'CLOSED' ? [] : [{ Put: { TableName, Item: { ...openKey(session), ttl } } }]),
      ])
      return { created: true, session }
    } catch (thrown) {
      const item = refusal(thrown)?.item
      if (!item) throw thrown
      // The reply may have been lost and the SDK have sent the same again.
      if (textIn(item, 'life') === life) return { created: true, session }
      return { created: false, session: readSession(textIn(item, 'body')) }
    }
  }

  async function replace(next: Session): Promise<'replaced' | 'lost' | 'gone'> {
    const wrote = randomUUID()
    const Update = updateHead(TableName, next, { wrote, now: epochSeconds(clock()) })
    try {
      // CLOSED is for ever, so this may be repeated.
      const closed = { Delete: { TableName, Key: openKey(next) } }
      if (next.state === 'CLOSED') await transact([{ Update }, closed])
      else await untilNoConflict(() => db.send(new UpdateCommand(Update)))
      return 'replaced'
    } catch (thrown) {
      const found = refusal(thrown)
      if (!found) throw thrown
      if (textIn(found.item, 'wrote') === wrote) return 'replaced'
      const expired = isExpired({ ttl: numberIn(found.item, 'ttl') }, clock())
      return expired || numberIn(found.item, 'createdAt') !== next.createdAt ? 'gone' : 'lost'
    }
  }

  async function sweep(pk: string, keep?: string): Promise<void> {
    const items = await queryRange(db, TableName, { pk, from: ' ', to: '~', keysOnly: true })
    const keys = items.map(({ sk }) => String(sk)).filter((sk) => sk !== keep)
    await deleteItems(db, TableName, pk, keys)
  }

  /**
   * The records go first: should we not get further, the session is still there and can be removed again. Then session
   * and step go together, after which no step can be written, and what was written in the meantime.
   */
  async function remove(ref: SessionRef): Promise<boolean> {
    const there = await head(ref)
    if (!there) return false
    const records = recordsOf(ref, there.life)
    await sweep(records, LIVE)
    try {
      await transact([
        { Delete: { TableName, Key: headKey(ref), ...OF_LIFE(there.life) } },
        { Delete: { TableName, Key: { pk: records, sk: LIVE } } },
        { Delete: { TableName, Key: placeKey(there.session) } },
        { Delete: { TableName, Key: openKey(ref) } },
      ])
    } catch (thrown) {
      if (refusal(thrown)) return false
      throw thrown
    }
    await sweep(records)
    return true
  }

  async function listOpen(): Promise<SessionRef[]> {
    const items = await queryRange(db, TableName, { pk: OPEN, from: ' ', to: '~' })
    return items.filter((item) => !isExpired(item, clock())).map(({ sk }) => openRef(String(sk)))
  }

  return withAwsErrors<SessionStore>({
    ...{ open, replace, listOpen, remove },
    ...createSessionRecords(db, table, head),
    list: createSessionList(db, table, clock),
    get: async (ref) => (await head(ref))?.session,
  })
}

const OF_LIFE = (life: string) => ({
  ConditionExpression: 'life = :life',
  ExpressionAttributeValues: { ':life': life },
})

/** `state` is there for people who look at the table. A session that has expired is none. */
function putHead(TableName: string, session: Session, o: { life: string; ttl: number; now: number }) {
  const { version, state, createdAt } = session
  const body = JSON.stringify(session)
  return {
    TableName,
    Item: { ...headKey(session), version, state, createdAt, body, life: o.life, ttl: o.ttl },
    ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
    ExpressionAttributeNames: { '#ttl': 'ttl' },
    ExpressionAttributeValues: { ':now': o.now },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  }
}

/** `wrote` tells our own write from another's: a reply may be lost, and the SDK then sends the same write again. */
function updateHead(TableName: string, next: Session, o: { wrote: string; now: number }) {
  return {
    TableName,
    Key: headKey(next),
    UpdateExpression: 'SET version = :version, #state = :state, body = :body, wrote = :wrote',
    // Another session may have been opened under the same id.
    ConditionExpression: 'version = :before AND createdAt = :createdAt AND #ttl > :now',
    ExpressionAttributeNames: { '#state': 'state', '#ttl': 'ttl' },
    ExpressionAttributeValues: {
      ...{ ':version': next.version, ':before': next.version - 1, ':createdAt': next.createdAt },
      ...{ ':state': next.state, ':body': JSON.stringify(next), ':wrote': o.wrote, ':now': o.now },
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  }
}
