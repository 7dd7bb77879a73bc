import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createShardStore } from '../../../lib/adapters/local/shard-store.ts'
import { sampleRef } from '../../contracts/shard-store.ts'
import { linesOf, startChild } from './child.ts'
import { temporaryDatabase } from './folder.ts'

describe('the shard store of one machine', () => {
  let folder: ReturnType<typeof temporaryDatabase>
  beforeEach(() => {
    folder = temporaryDatabase()
  })
  afterEach(() => folder.dispose())

  it('counts what two processes end at the same time, each end in a step of its own', async () => {
    const ref = sampleRef()
    const shards = createShardStore(folder.db)
    await shards.begin(ref)
    const seen = await Promise.all(
      ['0', '1'].map((first) =>
        linesOf(startChild('end-shards.ts', [folder.dataDir, ref.tenant, ref.jobId, first])),
      ),
    )
    const steps = Array.from({ length: 100 }, (_, n) => n + 1)
    expect(
      seen
        .flat()
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual(steps)
    expect(await shards.read(ref)).toMatchObject({ audioMs: 100, workMs: 100, engineMs: 100 })
    expect(await shards.fail(ref, 0)).toBe(101)
  })

  it.each([
    ['text', 'nothing'],
    ['an unknown reason', '{"failures":{},"tally":{"failed":[{"shard":0,"code":"x"}]}}'],
  ])('fails on a record that is not a tally: %s', async (_, body) => {
    const ref = sampleRef()
    const shards = createShardStore(folder.db)
    await shards.begin(ref)
    folder.db.sql.prepare('UPDATE tallies SET body = ?').run(body)
    await expect(shards.read(ref)).rejects.toMatchObject({
      ...{ code: 'internal', message: 'A stored tally cannot be read.' },
    })
  })
})
