import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { TokenRecord, TokenStore } from '../../core/ports.ts'
import { withAwsErrors } from './errors.ts'

const PARTITION = 'TOKEN'
const keyOf = (tokenId: string) => ({ pk: PARTITION, sk: tokenId })

const StoredToken = z.object({
  ...{ tenant: z.string(), name: z.string(), salt: z.string(), hash: z.string(), createdAt: z.int() },
  sk: z.string(),
})

/** Tokens in the table (docs/adr/0004-one-table.md). Reads are consistent: a revoked token is refused at once. */
export function createTokenStore(db: DynamoDBDocumentClient, table: string): TokenStore {
  const TableName = table
  return withAwsErrors<TokenStore>({
    async put({ tokenId, tenant, name, salt, hash, createdAt }) {
      const Item = { ...keyOf(tokenId), tenant, name, salt, hash, createdAt }
      await db.send(new PutCommand({ TableName, Item }))
    },

    async get(tokenId) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(tokenId), ConsistentRead: true }))
      return Item && readToken(Item)
    },

    async list() {
      const query = {
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': PARTITION },
      }
      const records: TokenRecord[] = []
      for await (const { Items = [] } of paginateQuery({ client: db }, query)) {
        records.push(...Items.map(readToken))
      }
      return records.sort((a, b) => a.createdAt - b.createdAt)
    },

    async remove(tokenId) {
      const { Attributes } = await db.send(
        new DeleteCommand({ TableName, Key: keyOf(tokenId), ReturnValues: 'ALL_OLD' }),
      )
      return Attributes !== undefined
    },
  })
}

function readToken(item: unknown): TokenRecord {
  const { sk: tokenId, ...record } = StoredToken.parse(item)
  return { tokenId, ...record }
}
