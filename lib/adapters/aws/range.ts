import { setTimeout as sleep } from 'node:timers/promises'
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  type BatchWriteCommandOutput,
  type DynamoDBDocumentClient,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/lib-dynamodb'

type Item = Record<string, unknown>

export interface Range {
  readonly pk: string
  /** First and last sort key, both included. */
  readonly from: string
  readonly to: string
  readonly limit?: number
  readonly backwards?: boolean
  /** Gives keys only; that saves the way, not the reading. */
  readonly keysOnly?: boolean
}

/** Items of one partition in order of their sort keys. A reply holds 1 MB at most, so there may be several. */
export async function queryRange(
  db: DynamoDBDocumentClient,
  TableName: string,
  { pk, from, to, limit = Infinity, backwards = false, keysOnly = false }: Range,
): Promise<Item[]> {
  const items: Item[] = []
  let ExclusiveStartKey: Item | undefined
  do {
    const left = limit - items.length
    const reply: QueryCommandOutput = await db.send(
      new QueryCommand({
        ...{ TableName, ConsistentRead: true, ScanIndexForward: !backwards, ExclusiveStartKey },
        ...(Number.isFinite(left) && { Limit: left }),
        ...(keysOnly && { ProjectionExpression: 'pk, sk' }),
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': pk, ':from': from, ':to': to },
      }),
    )
    items.push(...(reply.Items ?? []))
    ExclusiveStartKey = reply.LastEvaluatedKey
  } while (ExclusiveStartKey && items.length < limit)
  return items
}

/** The most that one BatchWriteItem takes. */
const MOST_WRITES = 25
/** Wait before what the table was too busy for is tried again, at first. */
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2000

/** Deletes items by their sort keys, however many. */
export async function deleteItems(
  db: DynamoDBDocumentClient,
  table: string,
  pk: string,
  keys: readonly string[],
): Promise<void> {
  for (let from = 0; from < keys.length; from += MOST_WRITES) {
    const requests = keys
      .slice(from, from + MOST_WRITES)
      .map((sk) => ({ DeleteRequest: { Key: { pk, sk } } }))
    let RequestItems: BatchWriteCommandInput['RequestItems'] = { [table]: requests }
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
      const reply: BatchWriteCommandOutput = await db.send(new BatchWriteCommand({ RequestItems }))
      if (!reply.UnprocessedItems?.[table]?.length) break
      RequestItems = reply.UnprocessedItems
      await sleep(wait)
    }
  }
}
