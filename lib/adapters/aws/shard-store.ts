import { randomUUID } from 'node:crypto'
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import type { JobRef } from '../../core/keys.ts'
import type { Clock, ShardEnd, ShardStore, ShardTally } from '../../core/ports.ts'
import { checkEnd, EMPTY_TALLY } from '../read-tally.ts'
import { withAwsErrors } from './errors.ts'
import { epochSeconds, isExpired } from './job-expiry.ts'
import { refusal } from './refusal.ts'
import { failuresName, failureText, plainItem, tallyKey, tallyOf } from './shard-items.ts'

const DAY_MS = 24 * 60 * 60 * 1000

export interface ShardStoreOptions {
  /** How long a tally is kept at most; that of a job that ends in any way is removed before. */
  readonly recordDays: number
  readonly clock?: Clock
}

/**
 * Tallies in the table (shard-items.ts). Every write is one request that DynamoDB does as a whole, however many workers
 * count at once, and that may arrive twice: the SDK repeats it when a reply is lost. Sets take the same member once, and
 * the sums grow only with a shard that is not in its set.
 */
export function createShardStore(
  db: DynamoDBDocumentClient,
  table: string,
  { recordDays, clock = Date.now }: ShardStoreOptions,
): ShardStore {
  const TableName = table
  const now = () => epochSeconds(clock())

  async function begin(ref: JobRef): Promise<ShardTally> {
    const { audioMs, workMs, engineMs } = EMPTY_TALLY
    const ttl = epochSeconds(clock() + recordDays * DAY_MS)
    const Item = { ...tallyKey(ref), audioMs, workMs, engineMs, ttl }
    try {
      await db.send(new PutCommand(putUnlessThere(TableName, Item, now())))
      return EMPTY_TALLY
    } catch (thrown) {
      const item = refusal(thrown)?.item
      if (!item) throw thrown
      return tallyOf(plainItem(item))
    }
  }

  async function read(ref: JobRef): Promise<ShardTally | undefined> {
    const { Item } = await db.send(new GetCommand({ TableName, Key: tallyKey(ref), ConsistentRead: true }))
    return Item && !isExpired(Item, clock()) ? tallyOf(Item) : undefined
  }

  async function end(ref: JobRef, ended: ShardEnd): Promise<ShardTally | undefined> {
    checkEnd(ended)
    try {
      const { Attributes = {} } = await db.send(new UpdateCommand(countEnd(TableName, ref, ended, now())))
      return tallyOf(Attributes)
    } catch (thrown) {
      const found = refusal(thrown)
      if (!found) throw thrown
      // The shard has ended before, or there is no tally.
      const item = found.item && plainItem(found.item)
      return item && !isExpired(item, clock()) ? tallyOf(item) : undefined
    }
  }

  async function fail(ref: JobRef, shard: number): Promise<number | undefined> {
    const name = failuresName(shard)
    try {
      const { Attributes = {} } = await db.send(new UpdateCommand(countFailure(TableName, ref, name, now())))
      return (Attributes[name] as Set<string>).size
    } catch (thrown) {
      if (refusal(thrown)) return undefined
      throw thrown
    }
  }

  async function remove(ref: JobRef): Promise<void> {
    await db.send(new DeleteCommand({ TableName, Key: tallyKey(ref) }))
  }

  return withAwsErrors<ShardStore>({ begin, read, end, fail, remove })
}

const TTL = { ExpressionAttributeNames: { '#ttl': 'ttl' } }

/** A tally that has expired is none. */
const putUnlessThere = (TableName: string, Item: Record<string, unknown>, now: number) => ({
  ...{ TableName, Item, ...TTL },
  ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
  ExpressionAttributeValues: { ':now': now },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
})

function countEnd(TableName: string, ref: JobRef, { shard, failed, ...times }: ShardEnd, now: number) {
  const added = 'ADD ended :ended, audioMs :audioMs, workMs :workMs, engineMs :engineMs'
  return {
    ...{ TableName, Key: tallyKey(ref), ...TTL },
    UpdateExpression: failed === undefined ? added : `${added}, failed :failed`,
    // Every tally has a ttl: without one there is no tally.
    ConditionExpression: '#ttl > :now AND NOT contains(ended, :shard)',
    ExpressionAttributeValues: {
      ...{ ':now': now, ':shard': shard, ':ended': new Set([shard]) },
      ...{ ':audioMs': times.audioMs, ':workMs': times.workMs, ':engineMs': times.engineMs },
      ...(failed !== undefined && { ':failed': new Set([failureText(shard, failed)]) }),
    },
    ReturnValues: 'ALL_NEW' as const,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  }
}

/** Each attempt has a name of its own, so that one whose reply was lost is not counted as two. */
const countFailure = (TableName: string, ref: JobRef, name: string, now: number) => ({
  ...{ TableName, Key: tallyKey(ref) },
  UpdateExpression: 'ADD #failures :attempt',
  ConditionExpression: '#ttl > :now',
  ExpressionAttributeNames: { '#failures': name, '#ttl': 'ttl' },
  ExpressionAttributeValues: { ':attempt': new Set([randomUUID().slice(0, 8)]), ':now': now },
  ReturnValues: 'UPDATED_NEW' as const,
})
