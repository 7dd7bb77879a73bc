import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import { isExpired } from './job-expiry.ts'
import { type Place, placeOf, placeText } from './job-items.ts'

// What the lists of jobs and of sessions have in common: a partition of places, newest first, and the records that
// those point to.

/** The most that one BatchGetItem may ask for. */
export const MOST_KEYS = 100

/** At most `limit` places of a list, those behind `after` only, if there is one. */
export async function placesOf(
  db: DynamoDBDocumentClient,
  TableName: string,
  { pk, after, limit }: { pk: string; after: Place | undefined; limit: number },
): Promise<Place[]> {
  const { Items = [] } = await db.send(
    new QueryCommand({
      ...{ TableName, ConsistentRead: true, ScanIndexForward: false, Limit: limit },
      KeyConditionExpression: after ? 'pk = :pk AND sk < :after' : 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk, ...(after && { ':after': placeText(after) }) },
    }),
  )
  return Items.map(({ sk }) => placeOf(String(sk)))
}

/**
 * The bodies of the records under `keys` (at most MOST_KEYS) that are still there at `now`, in no order. Replies have a
 * size limit, so some keys may have to be asked for again.
 */
export async function bodiesAt(
  db: DynamoDBDocumentClient,
  table: string,
  keys: readonly Record<string, unknown>[],
  now: number,
): Promise<unknown[]> {
  const bodies: unknown[] = []
  let Keys = [...keys]
  while (Keys.length > 0) {
    const request: BatchGetCommandInput = { RequestItems: { [table]: { Keys, ConsistentRead: true } } }
    const reply: BatchGetCommandOutput = await db.send(new BatchGetCommand(request))
    const there = (reply.Responses?.[table] ?? []).filter((item) => !isExpired(item, now))
    bodies.push(...there.map(({ body }) => body))
    Keys = reply.UnprocessedKeys?.[table]?.Keys ?? []
  }
  return bodies
}
