import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ShardEnd, ShardStore, ShardTally } from '../../lib/core/ports.ts'

export const sampleRef = () => ({ tenant: `t-${randomUUID()}`, jobId: '01K0000000000000000000000A' })

export const sampleEnd = (shard: number, over: Partial<ShardEnd> = {}): ShardEnd => ({
  ...{ shard, audioMs: 60_000 + shard, workMs: 30_000 + shard, engineMs: 20_000 + shard },
  ...over,
})

const EMPTY: ShardTally = { ended: [], audioMs: 0, workMs: 0, engineMs: 0, failed: [] }

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
const inOrder = (shards: readonly number[] = []) => shards.toSorted((a, b) => a - b)

/** What every ShardStore must do. Tenants are random, so that the store may be one that others use too. */
export function describeShardStore(
  name: string,
  make: () => Promise<{ shards: ShardStore; dispose(): Promise<void> }>,
): void {
  describe(`ShardStore: ${name}`, () => {
    let shards: ShardStore
    let dispose: () => Promise<void>
    beforeAll(async () => {
      ;({ shards, dispose } = await make())
    })
    afterAll(() => dispose())
    /** A job whose tally has begun. */
    const begun = async () => {
      const ref = sampleRef()
      await shards.begin(ref)
      return ref
    }

    it('begins a tally with nothing in it', async () => {
      const ref = sampleRef()
      expect(await shards.begin(ref)).toEqual(EMPTY)
      expect(await shards.read(ref)).toEqual(EMPTY)
    })

    it('keeps what was counted when a tally is begun again', async () => {
      const ref = await begun()
      const tally = await shards.end(ref, sampleEnd(3, { failed: 'engine-crashed' }))
      await shards.fail(ref, 4)
      expect(await shards.begin(ref)).toEqual(tally)
      expect(await shards.read(ref)).toEqual(tally)
      expect(await shards.fail(ref, 4)).toBe(2)
    })

    it('begins one tally, however many begin it at once', async () => {
      const ref = sampleRef()
      expect(await Promise.all(upTo(8).map(() => shards.begin(ref)))).toEqual(Array(8).fill(EMPTY))
    })

    it('sums up what has ended', async () => {
      const ref = await begun()
      const first = { audioMs: 60_007, workMs: 30_007, engineMs: 20_007, failed: [] }
      expect(await shards.end(ref, sampleEnd(7))).toEqual({ ...first, ended: [7] })
      const tally = await shards.end(ref, sampleEnd(0))
      expect(tally).toMatchObject({ audioMs: 120_007, workMs: 60_007, engineMs: 40_007, failed: [] })
      expect(inOrder(tally?.ended)).toEqual([0, 7])
      expect(await shards.read(ref)).toEqual(tally)
    })

    it('counts a shard once, whatever is said at its second end', async () => {
      const ref = await begun()
      await shards.end(ref, sampleEnd(0))
      const tally = await shards.end(ref, sampleEnd(1))
      expect(await shards.end(ref, sampleEnd(1))).toEqual(tally)
      expect(await shards.end(ref, sampleEnd(1, { audioMs: 5, failed: 'engine-timeout' }))).toEqual(tally)
      expect(await shards.read(ref)).toEqual(tally)
    })

    it('counts a shard once when many end it at the same time', async () => {
      const ref = await begun()
      const tallies = await Promise.all(upTo(8).map(() => shards.end(ref, sampleEnd(5))))
      for (const tally of tallies) expect(tally).toMatchObject({ ended: [5], workMs: 30_005 })
    })

    it('lists the shards that could not be heard, with the reason', async () => {
      const ref = await begun()
      await shards.end(ref, sampleEnd(0))
      await shards.end(ref, sampleEnd(12, { failed: 'engine-timeout' }))
      const tally = await shards.end(ref, sampleEnd(2, { failed: 'engine-crashed' }))
      expect(tally?.failed.toSorted((a, b) => a.shard - b.shard)).toEqual([
        { shard: 2, code: 'engine-crashed' },
        { shard: 12, code: 'engine-timeout' },
      ])
      expect(inOrder(tally?.ended)).toEqual([0, 2, 12])
      expect(await shards.read(ref)).toEqual(tally)
    })

    it('shows the whole tally to one at least of two that end the last two shards at once', async () => {
      for (let round = 0; round < 10; round++) {
        const ref = await begun()
        const [one, two] = await Promise.all([0, 1].map((shard) => shards.end(ref, sampleEnd(shard))))
        expect(one?.ended).toContain(0)
        expect(two?.ended).toContain(1)
        expect(Math.max(one!.ended.length, two!.ended.length)).toBe(2)
      }
    })

    it('counts each of 200 shards that end at once, and gives no two of them the same tally', async () => {
      const ref = await begun()
      const tallies = await Promise.all(upTo(200).map((shard) => shards.end(ref, sampleEnd(shard))))
      for (const [shard, tally] of tallies.entries()) expect(tally?.ended).toContain(shard)
      // Each end is one step: no two see the same tally.
      expect(inOrder(tallies.map((tally) => tally!.ended.length))).toEqual(upTo(200).map((n) => n + 1))
      const tally = await shards.read(ref)
      expect(inOrder(tally?.ended)).toEqual(upTo(200))
      const sum = (each: (n: number) => number) => upTo(200).reduce((total, n) => total + each(n), 0)
      expect(tally).toMatchObject({
        audioMs: sum((n) => 60_000 + n),
        workMs: sum((n) => 30_000 + n),
        engineMs: sum((n) => 20_000 + n),
      })
    })

    it('counts the failed attempts at each shard, and does not take them for ends', async () => {
      const ref = await begun()
      expect([await shards.fail(ref, 1), await shards.fail(ref, 1)]).toEqual([1, 2])
      expect(await shards.fail(ref, 0)).toBe(1)
      expect(await shards.fail(ref, 1)).toBe(3)
      expect(await shards.read(ref)).toEqual(EMPTY)
      expect(await shards.end(ref, sampleEnd(1))).toMatchObject({ ended: [1], failed: [] })
    })

    it('counts each of many attempts that fail at once', async () => {
      const ref = await begun()
      const counts = await Promise.all(upTo(20).map(() => shards.fail(ref, 2)))
      expect(inOrder(counts as number[])).toEqual(upTo(20).map((n) => n + 1))
    })

    it('knows nothing of a job whose tally was removed or never begun', async () => {
      const removed = await begun()
      await shards.end(removed, sampleEnd(0))
      await shards.remove(removed)
      for (const ref of [removed, sampleRef()]) {
        expect(await shards.end(ref, sampleEnd(0))).toBeUndefined()
        expect(await shards.fail(ref, 0)).toBeUndefined()
        expect(await shards.read(ref)).toBeUndefined()
        await shards.remove(ref)
      }
      expect(await shards.begin(removed)).toEqual(EMPTY)
      expect(await shards.fail(removed, 0)).toBe(1)
    })

    it('keeps tallies of other tenants and jobs apart', async () => {
      const ref = await begun()
      const others = [
        { ...ref, tenant: `${ref.tenant}2` },
        { ...ref, jobId: '01K0000000000000000000000B' },
      ]
      for (const other of others) await shards.begin(other)
      await shards.end(ref, sampleEnd(0))
      await shards.fail(ref, 1)
      for (const other of others) {
        expect(await shards.read(other)).toEqual(EMPTY)
        expect(await shards.fail(other, 1)).toBe(1)
      }
      await shards.remove(ref)
      for (const other of others) expect(await shards.read(other)).toEqual(EMPTY)
    })

    it('does not count what would make a tally unreadable', async () => {
      const ref = await begun()
      for (const over of [{ workMs: 0.5 }, { audioMs: Number.NaN }, { shard: -1 }]) {
        await expect(shards.end(ref, sampleEnd(0, over))).rejects.toMatchObject({ code: 'internal' })
      }
      expect(await shards.read(ref)).toEqual(EMPTY)
    })
  })
}
