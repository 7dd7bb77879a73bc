import { randomUUID } from 'node:crypto'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import type { SessionStore } from '../../core/live/ports.ts'
import type { SessionRef } from '../../core/session.ts'
import {
  checkStep,
  readChunk,
  readLive,
  readSegment,
  readSpeaker,
  unknownSession,
} from '../session-records.ts'
import { untilNoConflict } from './conflicts.ts'
import { textIn } from './job-items.ts'
import { queryRange, type Range } from './range.ts'
import { refusal } from './refusal.ts'
import { chunkText, endOf, LIVE, nameItemText, nameText, recordsOf, segmentText } from './session-items.ts'
import type { Head } from './session-store.ts'

type Records = Pick<
  SessionStore,
  'addChunk' | 'chunks' | 'lastChunk' | 'addSpeaker' | 'speakers' | 'live' | 'commit' | 'segments'
>

/** What belongs to a session: chunks, names, steps, segments. `head` finds the session, first of all. */
export function createSessionRecords(
  db: DynamoDBDocumentClient,
  table: string,
  head: (ref: SessionRef) => Promise<Head | undefined>,
): Records {
  const TableName = table
  let events = 0

  /** Bodies of records in the given ranges, one range after the other; none when there is no such session. */
  async function bodies(ref: SessionRef, ...ranges: Omit<Range, 'pk'>[]): Promise<unknown[]> {
    const there = await head(ref)
    if (!there) return []
    const pk = recordsOf(ref, there.life)
    const items = await Promise.all(ranges.map((range) => queryRange(db, TableName, { pk, ...range })))
    return items.flat().map(({ body }) => body)
  }

  /** Where a new record of the session lies, and when it goes. */
  async function place(ref: SessionRef): Promise<{ pk: string; ttl: number }> {
    const there = await head(ref)
    if (!there) throw unknownSession()
    return { pk: recordsOf(ref, there.life), ttl: there.ttl }
  }

  const addChunk: Records['addChunk'] = async (ref, chunk) => {
    const { post } = chunk
    const Item = { ...(await place(ref)), sk: chunkText(chunk.seq), post, body: JSON.stringify(chunk) }
    try {
      await db.send(
        new PutCommand({
          ...{ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      )
      return 'added'
    } catch (thrown) {
      const found = refusal(thrown)
      if (!found) throw thrown
      return textIn(found.item, 'post') === post ? 'added' : 'repeated'
    }
  }

  const commit: Records['commit'] = async (ref, state, segments) => {
    checkStep(segments)
    const there = await head(ref)
    if (!there) return 'gone'
    const own = { pk: recordsOf(ref, there.life), ttl: there.ttl }
    const wrote = randomUUID()
    const step = {
      TableName,
      Item: { ...own, sk: LIVE, step: state.step, body: JSON.stringify(state), wrote },
      ConditionExpression: 'step = :before',
      ExpressionAttributeValues: { ':before': state.step - 1 },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    }
    const finals = segments.map((segment) => ({
      Put: { TableName, Item: { ...own, sk: segmentText(segment.id), body: JSON.stringify(segment) } },
    }))
    const TransactItems = [{ Put: step }, ...finals]
    try {
      // A transaction costs twice as much.
      if (finals.length === 0) await untilNoConflict(() => db.send(new PutCommand(step)))
      else await untilNoConflict(() => db.send(new TransactWriteCommand({ TransactItems })))
      return 'written'
    } catch (thrown) {
      const found = refusal(thrown)
      if (!found) throw thrown
      if (!found.item) return 'gone'
      // The reply may have been lost and the SDK have sent the same again.
      return textIn(found.item, 'wrote') === wrote ? 'written' : 'lost'
    }
  }

  const speakers: Records['speakers'] = async (ref, { from = 0 } = {}) => {
    const before = { from: nameText(0), to: nameText(from), limit: 1, backwards: true }
    const later = { from: nameText(from), to: endOf('name') }
    return (await (from > 0 ? bodies(ref, before, later) : bodies(ref, later))).map(readSpeaker)
  }

  return {
    ...{ addChunk, commit, speakers },
    async chunks(ref, { from, limit }) {
      return (await bodies(ref, { from: chunkText(from), to: endOf('chunk'), limit })).map(readChunk)
    },
    async lastChunk(ref) {
      const range = { from: chunkText(0), to: endOf('chunk'), limit: 1, backwards: true }
      return (await bodies(ref, range)).map(readChunk)[0]
    },
    async addSpeaker(ref, event) {
      const own = await place(ref)
      const sk = nameItemText(event, events++, randomUUID())
      await db.send(new PutCommand({ TableName, Item: { ...own, sk, body: JSON.stringify(event) } }))
    },
    async live(ref) {
      const there = await head(ref)
      if (!there) return undefined
      const Key = { pk: recordsOf(ref, there.life), sk: LIVE }
      const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }))
      return Item?.body === undefined ? undefined : readLive(Item.body)
    },
    async segments(ref, { after = -1, limit }) {
      return (await bodies(ref, { from: segmentText(after + 1), to: endOf('segment'), limit })).map(
        readSegment,
      )
    },
  }
}
