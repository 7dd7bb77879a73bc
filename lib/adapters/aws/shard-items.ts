import type { ErrorCode } from '../../core/errors.ts'
import type { JobRef } from '../../core/keys.ts'
import type { ShardTally } from '../../core/ports.ts'
import { readTally } from '../read-tally.ts'
import type { RawItem } from './job-items.ts'

// How the tally of a job's shards lies in the table (docs/adr/0004-one-table.md): one item, which counts.
//
// | attribute                 | holds                                                   |
// |---------------------------|---------------------------------------------------------|
// | ended                     | set of numbers: the shards that have ended              |
// | audioMs, workMs, engineMs | sums over those                                         |
// | failed                    | set of texts: <shard>#<code> of those that were given up |
// | failures_<shard>          | set of texts: a random name for each attempt that failed |
//
// DynamoDB has no empty sets: each is made by the first that goes in. The 1,000 shards a recording has at most are 4 KB
// of numbers, and 40 KB of names more if each had failed twice; an item may have 400 KB.

export const tallyKey = ({ tenant, jobId }: JobRef) => ({ pk: `SHARDS#${tenant}#${jobId}`, sk: 'tally' })

/** Where the failed attempts at a shard are counted. */
export const failuresName = (shard: number): string => `failures_${shard}`

export const failureText = (shard: number, code: ErrorCode): string => `${shard}#${code}`

/** The tally in an item, whose sets may be sets or arrays. */
export function tallyOf({ ended, failed, ...sums }: Record<string, unknown>): ShardTally {
  const given = membersOf(failed).map((text) => {
    const [shard, code] = String(text).split('#')
    return { shard: Number(shard), code }
  })
  return readTally({ ...sums, ended: membersOf(ended), failed: given })
}

const membersOf = (set: unknown): unknown[] => (set === undefined ? [] : [...(set as Iterable<unknown>)])

/** An item as errors carry it, in the form in which the document client gives one. */
export const plainItem = (item: RawItem): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(item).map(([name, { N, NS, S, SS }]) => [
      name,
      NS?.map(Number) ?? SS ?? (N === undefined ? S : Number(N)),
    ]),
  )
