import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createDeliveryStore } from '../../../lib/adapters/local/delivery-store.ts'
import { givenUp } from '../../../lib/core/webhooks/after-attempt.ts'
import { KEPT_MS } from '../../../lib/core/webhooks/ports.ts'
import { describeDeliveryStore, sampleDelivery } from '../../contracts/delivery-store.ts'
import { temporaryDatabase } from './folder.ts'

describeDeliveryStore('one machine', async (clock) => {
  const { db, dispose } = temporaryDatabase()
  return { deliveries: createDeliveryStore(db, clock), dispose }
})

describe('the delivery log of one machine', () => {
  let folder: ReturnType<typeof temporaryDatabase>
  const time = { now: 0 }
  beforeEach(() => {
    time.now = sampleDelivery().createdAt
    folder = temporaryDatabase()
  })
  afterEach(() => folder.dispose())

  it('forgets what has ended after 30 days, and keeps what is pending', async () => {
    const store = createDeliveryStore(folder.db, () => time.now)
    const [pending, failed] = [sampleDelivery(), sampleDelivery()]
    for (const each of [pending, failed]) await store.add(each)
    await store.update(failed, givenUp(failed, 'gone', time.now))
    time.now += KEPT_MS
    await store.add(sampleDelivery())
    expect(await store.get(failed.tenant, failed.id)).toBeDefined()
    time.now += 1
    await store.add(sampleDelivery())
    expect(await store.get(failed.tenant, failed.id)).toBeUndefined()
    expect(await store.get(pending.tenant, pending.id)).toEqual(pending)
  })

  it('gives up all claims at once when the host starts', async () => {
    const store = createDeliveryStore(folder.db, () => time.now)
    await store.add(sampleDelivery())
    const [lane] = await store.due(time.now, 10)
    await store.claim(lane!, time.now + 30_000)
    expect(await store.due(time.now, 10)).toEqual([])
    await store.releaseAll()
    expect(await store.due(time.now, 10)).toHaveLength(1)
  })
})
