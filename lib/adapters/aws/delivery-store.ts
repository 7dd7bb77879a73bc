import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import {
  DeleteCommand,
  type DeleteCommandInput,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb'
import type { Clock } from '../../core/ports.ts'
import { type Delivery, startOfLane } from '../../core/webhooks/delivery.ts'
import { type DeliveryStore, KEPT_MS, type Lane } from '../../core/webhooks/ports.ts'
import { decodeCursor, encodeCursor } from '../job-cursor.ts'
import { readDelivery, readPending } from '../read-delivery.ts'
import { untilNoConflict } from './conflicts.ts'
import {
  DUE,
  deliveryItem,
  deliveryKey,
  joinLane,
  laneKey,
  laneOf,
  leaveLane,
  pendingOf,
  rejoinLane,
} from './delivery-items.ts'
import { withAwsErrors } from './errors.ts'
import { epochSeconds, isExpired } from './job-expiry.ts'
import { cancellation } from './job-items.ts'

/** Above every id. */
const NEWEST = '~'

/** The delivery log in the table (delivery-items.ts). Every read is consistent, every write conditional. */
export function createDeliveryStore(
  db: DynamoDBDocumentClient,
  table: string,
  clock: Clock = Date.now,
): DeliveryStore {
  const TableName = table
  const transact = (TransactItems: TransactWriteCommandInput['TransactItems']) =>
    untilNoConflict(() => db.send(new TransactWriteCommand({ TransactItems })))

  /** Which write of a transaction was refused by its condition; undefined: all went through. */
  async function refusedOf(writes: TransactWriteCommandInput['TransactItems']): Promise<number | undefined> {
    try {
      await transact(writes)
      return undefined
    } catch (thrown) {
      const refused = cancellation(thrown)?.findIndex(({ code }) => code === 'ConditionalCheckFailed')
      if (refused === undefined || refused < 0) throw thrown
      return refused
    }
  }

  const get: DeliveryStore['get'] = async (tenant, id) => {
    const Key = deliveryKey({ tenant, id })
    const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }))
    return isExpired(Item, clock()) ? undefined : Item && readDelivery(Item.body)
  }

  const add: DeliveryStore['add'] = async (delivery) => {
    const Put = { TableName, Item: deliveryItem(delivery), ConditionExpression: 'attribute_not_exists(pk)' }
    if (delivery.status !== 'PENDING')
      return (await passed(db.send(new PutCommand(Put)))) ? 'added' : 'repeated'
    const refused = await refusedOf([{ Put }, { Update: joinLane(TableName, delivery, clock()) }])
    return refused === undefined ? 'added' : refused === 0 ? 'repeated' : 'disabled'
  }

  const update: DeliveryStore['update'] = async (before, next) => {
    const Put = {
      ...{ TableName, Item: deliveryItem(next) },
      ConditionExpression: 'version = :before',
      ExpressionAttributeValues: { ':before': next.version - 1 },
    }
    const refused = await refusedOf([{ Put }, ...laneWrites(TableName, before, next, clock())])
    if (refused === undefined) return 'updated'
    return (await get(next.tenant, next.id)) ? 'lost' : 'gone'
  }

  const list: DeliveryStore['list'] = async (tenant, { cursor, limit }) => {
    const before = cursor === undefined ? NEWEST : decodeCursor(tenant, cursor).jobId
    const found: Delivery[] = []
    const query = {
      ...{ TableName, ConsistentRead: true, ScanIndexForward: false, Limit: limit + 1 },
      KeyConditionExpression: 'pk = :pk AND sk < :before',
      ExpressionAttributeValues: { ':pk': deliveryKey({ tenant, id: '' }).pk, ':before': before },
    }
    for await (const { Items = [] } of paginateQuery({ client: db }, query)) {
      const kept = Items.filter((item) => !isExpired(item, clock()))
      found.push(...kept.map(({ body }) => readDelivery(body)))
      // One more than asked for tells whether there is another page.
      if (found.length > limit) break
    }
    const deliveries = found.slice(0, limit)
    const last = deliveries.at(-1)
    if (found.length <= limit || !last) return { deliveries }
    return { deliveries, cursor: encodeCursor(tenant, { createdAt: last.createdAt, jobId: last.id }) }
  }

  const due: DeliveryStore['due'] = async (now, limit) => {
    const query = {
      ...{ TableName, ConsistentRead: true, KeyConditionExpression: 'pk = :due' },
      FilterExpression: 'nextAt <= :now AND attribute_not_exists(disabled)',
      ExpressionAttributeValues: { ':due': DUE, ':now': now },
    }
    const lanes: Lane[] = []
    for await (const { Items = [] } of paginateQuery({ client: db }, query)) lanes.push(...Items.map(laneOf))
    return lanes.sort((a, b) => a.nextAt - b.nextAt).slice(0, limit)
  }

  const claim: DeliveryStore['claim'] = async (lane, until) => {
    const update = ifVersion(TableName, lane, 'SET nextAt = :next, version = version + :one', {
      ':next': until,
      ':one': 1,
    })
    if (!(await passed(db.send(new UpdateCommand(update))))) return undefined
    return { ...lane, version: lane.version + 1, nextAt: until }
  }

  const head: DeliveryStore['head'] = async (lane) => {
    // The first is nearly always the one; pages are there for a lane that was put back to its beginning.
    for await (const { Items = [] } of paginateQuery({ client: db }, pendingOf(TableName, lane))) {
      if (Items[0]) return readPending(Items[0].body)
    }
    return undefined
  }

  const release: DeliveryStore['release'] = async (lane, next) => {
    if (typeof next !== 'number') {
      const write = next === 'idle' ? dropLane(TableName, lane) : closeLane(TableName, lane, clock())
      const sent =
        'UpdateExpression' in write ? db.send(new UpdateCommand(write)) : db.send(new DeleteCommand(write))
      if (await passed(sent)) return
    }
    const at = typeof next === 'number' ? next : clock()
    await passed(
      db.send(new UpdateCommand(ifVersion(TableName, lane, 'SET nextAt = :next', { ':next': at }))),
    )
  }

  /** Pages of 25: what one request may write. */
  const forget: DeliveryStore['forget'] = async (tenant, lane) => {
    await db.send(new DeleteCommand({ TableName, Key: laneKey({ tenant, lane }) }))
    const {
      FilterExpression: _,
      ExpressionAttributeNames: __,
      ...all
    } = pendingOf(TableName, {
      ...{ tenant, lane, from: startOfLane(lane) },
    })
    const { ':pending': ___, ...ExpressionAttributeValues } = all.ExpressionAttributeValues
    const query = { ...all, ExpressionAttributeValues, ProjectionExpression: 'pk, sk', Limit: 25 }
    for (;;) {
      const { Items = [] } = await db.send(new QueryCommand(query))
      if (Items.length === 0) return
      await transact(Items.map(({ pk, sk }) => ({ Delete: { TableName, Key: { pk, sk } } })))
    }
  }

  return withAwsErrors<DeliveryStore>({ add, get, list, due, claim, head, update, release, forget })
}

/** What a change of a delivery's state means for its lane. */
function laneWrites(TableName: string, before: Delivery, next: Delivery, now: number) {
  const [was, is] = [before.status === 'PENDING', next.status === 'PENDING']
  if (was === is) return []
  return [{ Update: is ? rejoinLane(TableName, next, now) : leaveLane(TableName, next) }]
}

function ifVersion(
  TableName: string,
  lane: Lane,
  UpdateExpression: string,
  values: Record<string, number>,
): UpdateCommandInput & { UpdateExpression: string } {
  return {
    ...{ TableName, Key: laneKey(lane), UpdateExpression },
    ConditionExpression: 'version = :version AND attribute_not_exists(disabled)',
    ExpressionAttributeValues: { ...values, ':version': lane.version },
  }
}

const IF_IDLE = 'version = :version AND pending <= :none'

const dropLane = (TableName: string, lane: Lane): DeleteCommandInput => ({
  ...{ TableName, Key: laneKey(lane), ConditionExpression: IF_IDLE },
  ExpressionAttributeValues: { ':version': lane.version, ':none': 0 },
})

const closeLane = (TableName: string, lane: Lane, now: number) => ({
  ...{ TableName, Key: laneKey(lane), ConditionExpression: IF_IDLE },
  UpdateExpression: 'SET disabled = :yes, #ttl = :ttl',
  ExpressionAttributeNames: { '#ttl': 'ttl' },
  ExpressionAttributeValues: {
    ...{ ':version': lane.version, ':none': 0, ':yes': true },
    ':ttl': epochSeconds(now + KEPT_MS),
  },
})

/** False when the write was refused by its condition. */
async function passed(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (thrown) {
    if (thrown instanceof ConditionalCheckFailedException) return false
    throw thrown
  }
}
