import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { cancellation, type RawItem } from './job-items.ts'

/** What stood where a write was refused by its condition, alone or as the first of a transaction; else undefined. */
export function refusal(thrown: unknown): { item?: RawItem } | undefined {
  if (thrown instanceof ConditionalCheckFailedException) return thrown.Item ? { item: thrown.Item } : {}
  const first = cancellation(thrown)?.[0]
  return first?.code === 'ConditionalCheckFailed' ? first : undefined
}
