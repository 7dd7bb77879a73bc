import { type Delivery, endOfLane, startOfLane } from '../../core/webhooks/delivery.ts'
import { KEPT_MS, type Lane } from '../../core/webhooks/ports.ts'
import { epochSeconds } from './job-expiry.ts'

// How webhooks lie in the table: a delivery under its tenant, in the order of its id, which begins with a time; and a
// lane while something in it is pending, all lanes under one key. A lane counts its pending deliveries, so that it
// goes only when there is none, and knows where the first of them may be, so that those that have ended are not read.

export const DUE = 'DUE'

export const deliveryKey = ({ tenant, id }: { tenant: string; id: string }) => ({
  pk: `DELIVERY#${tenant}`,
  sk: id,
})

/** Tenants have no slash. */
export const laneKey = ({ tenant, lane }: { tenant: string; lane: string }) => ({
  pk: DUE,
  sk: `${tenant}/${lane}`,
})

export function deliveryItem(delivery: Delivery) {
  const { version, status, createdAt } = delivery
  const ttl = status === 'PENDING' ? undefined : epochSeconds(createdAt + KEPT_MS)
  return { ...deliveryKey(delivery), version, status, ttl, body: JSON.stringify(delivery) }
}

export function laneOf(item: Record<string, unknown>): Lane {
  const [tenant = '', lane = ''] = String(item.sk).split('/')
  const from = typeof item.first === 'string' ? item.first : startOfLane(lane)
  return { tenant, lane, version: Number(item.version), nextAt: Number(item.nextAt), from }
}

/** The pending deliveries of a lane from `from` on, in order. */
export const pendingOf = (TableName: string, { tenant, lane, from }: Omit<Lane, 'version' | 'nextAt'>) => ({
  TableName,
  ConsistentRead: true,
  KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
  FilterExpression: '#status = :pending',
  ExpressionAttributeNames: { '#status': 'status' },
  ExpressionAttributeValues: {
    ':pk': deliveryKey({ tenant, id: '' }).pk,
    ':from': from,
    ':to': endOfLane(lane),
    ':pending': 'PENDING',
  },
})

/** A delivery has been put into its lane: the lane is there, and due at once unless it waits already. */
export function joinLane(TableName: string, delivery: Delivery, now: number) {
  return {
    TableName,
    Key: laneKey(delivery),
    UpdateExpression:
      'SET nextAt = if_not_exists(nextAt, :now), version = if_not_exists(version, :now), #first = if_not_exists(#first, :id) ADD pending :one',
    ConditionExpression: 'attribute_not_exists(disabled)',
    ExpressionAttributeNames: { '#first': 'first' },
    ExpressionAttributeValues: { ':now': now, ':id': delivery.id, ':one': 1 },
  }
}

/** A delivery is pending again: its lane is due and takes all, whatever it was before. */
export function rejoinLane(TableName: string, delivery: Delivery, now: number) {
  return {
    TableName,
    Key: laneKey(delivery),
    UpdateExpression:
      'SET nextAt = :now, version = :now, #first = :start REMOVE disabled, #ttl ADD pending :one',
    ExpressionAttributeNames: { '#first': 'first', '#ttl': 'ttl' },
    ExpressionAttributeValues: { ':now': now, ':start': startOfLane(delivery.lane), ':one': 1 },
  }
}

/** A delivery has ended: nothing before it is pending. */
export function leaveLane(TableName: string, delivery: Delivery) {
  return {
    TableName,
    Key: laneKey(delivery),
    UpdateExpression: 'SET #first = :id ADD pending :less',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeNames: { '#first': 'first' },
    ExpressionAttributeValues: { ':id': delivery.id, ':less': -1 },
  }
}
