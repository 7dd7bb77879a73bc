import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createShardStore } from '../../lib/adapters/aws/shard-store.ts'
import type { JobRef } from '../../lib/core/keys.ts'
import { sampleEnd, sampleRef } from '../contracts/shard-store.ts'
import { stammering } from './stammering.ts'
import { temporaryTable } from './support.ts'

const DAY_MS = 86_400_000

const keyOf = ({ tenant, jobId }: JobRef) => ({ pk: `SHARDS#${tenant}#${jobId}`, sk: 'tally' })

describe('the shard store of AWS', () => {
  let made: Awaited<ReturnType<typeof temporaryTable>>
  beforeAll(async () => {
    made = await temporaryTable()
  })
  afterAll(() => made.dispose())

  it('counts once what arrives twice', async () => {
    const shards = createShardStore(stammering(), made.table, { recordDays: 1 })
    const ref = sampleRef()
    expect(await shards.begin(ref)).toMatchObject({ ended: [], audioMs: 0 })
    expect(await shards.fail(ref, 0)).toBe(1)
    expect(await shards.fail(ref, 0)).toBe(2)
    const { shard, ...times } = sampleEnd(7)
    const once = { ...times, ended: [shard], failed: [{ shard, code: 'engine-crashed' }] }
    expect(await shards.end(ref, sampleEnd(7, { failed: 'engine-crashed' }))).toEqual(once)
    await shards.remove(ref)
    expect(await shards.read(ref)).toBeUndefined()
  })

  it('takes a tally whose time is up for none, until it is begun again', async () => {
    const time = { now: 1_700_000_000_000 }
    const shards = createShardStore(made.db, made.table, { recordDays: 2, clock: () => time.now })
    const ref = sampleRef()
    await shards.begin(ref)
    time.now += 2 * DAY_MS - 1000
    expect(await shards.end(ref, sampleEnd(0))).toMatchObject({ ended: [0] })
    expect(await shards.fail(ref, 1)).toBe(1)
    time.now += 1000
    expect(await shards.read(ref)).toBeUndefined()
    expect(await shards.end(ref, sampleEnd(0))).toBeUndefined()
    expect(await shards.end(ref, sampleEnd(1))).toBeUndefined()
    expect(await shards.fail(ref, 1)).toBeUndefined()
    expect(await shards.begin(ref)).toMatchObject({ ended: [] })
    expect(await shards.fail(ref, 1)).toBe(1)
  })

  it('is one item that has a time to go', async () => {
    const shards = createShardStore(made.db, made.table, { recordDays: 1 })
    const ref = sampleRef()
    const before = Date.now()
    await shards.begin(ref)
    const { Item } = await made.db.send(new GetCommand({ TableName: made.table, Key: keyOf(ref) }))
    expect(Item?.ttl).toBeGreaterThanOrEqual(Math.floor((before + DAY_MS) / 1000))
    expect(Item?.ttl).toBeLessThanOrEqual(Math.floor((Date.now() + DAY_MS) / 1000))
  })

  it('takes the last of the 1,000 shards a recording has at most, though all were given up', async () => {
    const shards = createShardStore(made.db, made.table, { recordDays: 1 })
    const ref = sampleRef()
    await shards.begin(ref)
    const { Item } = await made.db.send(new GetCommand({ TableName: made.table, Key: keyOf(ref) }))
    const names = Array.from({ length: 999 }, (_, shard) => `${shard}#storage-unavailable`)
    // As 999 shards have left it of which each has failed three times.
    const full = {
      ...{ ...Item, ended: new Set(names.keys()), failed: new Set(names) },
      ...Object.fromEntries(
        names.map((_, n) => [`failures_${n}`, new Set(['01234567', '89abcdef', 'ghijklmn'])]),
      ),
    }
    await made.db.send(new PutCommand({ TableName: made.table, Item: full }))
    for (const count of [1, 2, 3]) expect(await shards.fail(ref, 999)).toBe(count)
    const tally = await shards.end(ref, sampleEnd(999, { failed: 'storage-unavailable' }))
    expect(new Set(tally?.ended).size).toBe(1000)
    expect(tally?.failed).toHaveLength(1000)
    // Names and members of sets, near enough as DynamoDB counts them; an item may have 400 KB.
    const text = JSON.stringify(full, (_, value) => (value instanceof Set ? [...value] : value))
    expect(text.length).toBeLessThan(100_000)
  })
})
