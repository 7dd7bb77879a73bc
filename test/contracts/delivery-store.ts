import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { afterAttempt, givenUp, replayed } from '../../lib/core/webhooks/after-attempt.ts'
import {
  type Delivery,
  type DeliveryIn,
  newDelivery,
  segmentWebhookId,
} from '../../lib/core/webhooks/delivery.ts'
import type { DeliveryStore, Lane } from '../../lib/core/webhooks/ports.ts'

const NOW = Date.UTC(2026, 10, 20, 10)

const someText = () => randomUUID().replaceAll('-', '').slice(0, 24)

/** A delivery as it is first stored: a lane of its own unless one is given. */
export function sampleDelivery(
  o: { tenant?: string; lane?: string; segment?: number; createdAt?: number } = {},
): DeliveryIn<'PENDING'> {
  const { tenant = `t-${randomUUID()}`, createdAt = NOW, lane = `${NOW}_${someText()}`, segment = 0 } = o
  const subject = { type: 'segment', sessionId: 'meeting-1', sessionAt: NOW, segment, zeroAt: NOW } as const
  const about = {
    id: segmentWebhookId(lane, segment),
    tenant,
    lane,
    subject,
    endpoint: { kind: 'live' },
  } as const
  return newDelivery(about, createdAt)
}

const delivered = (delivery: DeliveryIn<'PENDING'>): Delivery =>
  afterAttempt(delivery, { status: 200 }, { now: NOW, random: 0 })

/** What every DeliveryStore must do. Its clock stands at `time.now`; tenants are random, lanes are of all tenants. */
export function describeDeliveryStore(
  name: string,
  make: (clock: () => number) => Promise<{ deliveries: DeliveryStore; dispose(): Promise<void> }>,
): void {
  describe(`DeliveryStore: ${name}`, () => {
    const time = { now: NOW }
    let store: DeliveryStore
    let dispose: () => Promise<void>
    beforeAll(async () => {
      ;({ deliveries: store, dispose } = await make(() => time.now))
    })
    afterAll(() => dispose())
    beforeEach(() => {
      time.now = NOW
    })

    const laneOf = async (of: Delivery, now = time.now): Promise<Lane | undefined> =>
      (await store.due(now, 1000)).find(({ tenant, lane }) => tenant === of.tenant && lane === of.lane)

    /** The three first finals of a session. */
    async function threeInALane() {
      const first = sampleDelivery()
      const { tenant, lane } = first
      const next = (segment: number) => sampleDelivery({ tenant, lane, segment })
      const all = [first, next(1), next(2)] as const
      for (const each of all) await store.add(each)
      return { all, tenant, lane, due: (await laneOf(first))! }
    }

    it('gives a delivery back as it was stored', async () => {
      const delivery = sampleDelivery()
      expect(await store.add(delivery)).toBe('added')
      expect(await store.get(delivery.tenant, delivery.id)).toEqual(delivery)
    })

    it('stores an id once, whatever has become of it', async () => {
      const delivery = sampleDelivery()
      const repeated = { ...delivery, endpoint: { kind: 'url', url: 'https://example.com/' } } as const
      await store.add(delivery)
      expect(await store.add(repeated)).toBe('repeated')
      await store.update(delivery, delivered(delivery))
      expect(await store.add(repeated)).toBe('repeated')
      expect(await store.get(delivery.tenant, delivery.id)).toEqual(delivered(delivery))
    })

    it('does not know a delivery of another tenant, nor one that never was', async () => {
      const delivery = sampleDelivery()
      await store.add(delivery)
      expect(await store.get(sampleDelivery().tenant, delivery.id)).toBeUndefined()
      expect(await store.get(delivery.tenant, sampleDelivery().id)).toBeUndefined()
    })

    it('lists what a tenant has, newest first, page by page', async () => {
      const { all, tenant } = await threeInALane()
      const later = sampleDelivery({ tenant, lane: `${NOW + 1}_${someText()}` })
      await store.add(later)
      const first = await store.list(tenant, { limit: 3 })
      expect(first.deliveries.map(({ id }) => id)).toEqual([later.id, all[2].id, all[1].id])
      const second = await store.list(tenant, { limit: 3, cursor: first.cursor! })
      expect(second).toEqual({ deliveries: [all[0]] })
      expect(await store.list(sampleDelivery().tenant, { limit: 3 })).toEqual({ deliveries: [] })
    })

    it("refuses another tenant's cursor and a broken one", async () => {
      const { tenant } = await threeInALane()
      const { cursor } = await store.list(tenant, { limit: 1 })
      const refused = { code: 'bad-request' }
      await expect(store.list('someone-else', { limit: 1, cursor: cursor! })).rejects.toMatchObject(refused)
      await expect(store.list(tenant, { limit: 1, cursor: 'nonsense' })).rejects.toMatchObject(refused)
    })

    it('makes a lane due at once when something is put into it', async () => {
      const delivery = sampleDelivery()
      await store.add(delivery)
      expect(await laneOf(delivery, NOW - 1)).toBeUndefined()
      expect(await laneOf(delivery, NOW)).toMatchObject({ nextAt: NOW })
    })

    it('lists lanes that wait longest first', async () => {
      const [late, early] = [sampleDelivery(), sampleDelivery()]
      await store.add(late)
      time.now = NOW - 5
      await store.add(early)
      const ours = (await store.due(NOW, 1000)).map(({ lane }) => lane)
      expect(ours.indexOf(early.lane)).toBeLessThan(ours.indexOf(late.lane))
    })

    it('leaves a lane that waits to its time when more is put into it', async () => {
      const { due, all, tenant, lane } = await threeInALane()
      const claimed = (await store.claim(due, NOW + 30_000))!
      await store.release(claimed, NOW + 5000)
      await store.add(sampleDelivery({ tenant, lane, segment: 3 }))
      expect(await laneOf(all[0], NOW + 4999)).toBeUndefined()
      expect(await laneOf(all[0], NOW + 5000)).toBeDefined()
    })

    it('gives a lane to one of two that want it, until the claim lapses', async () => {
      const { due, all } = await threeInALane()
      const claims = await Promise.all([store.claim(due, NOW + 100), store.claim(due, NOW + 100)])
      expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1)
      expect(await laneOf(all[0], NOW + 99)).toBeUndefined()
      const again = await laneOf(all[0], NOW + 100)
      expect(await store.claim(again!, NOW + 200)).toBeDefined()
    })

    it('does not let one whose claim has lapsed and was taken over give the lane back', async () => {
      const { due, all } = await threeInALane()
      const first = (await store.claim(due, NOW + 100))!
      const second = await store.claim((await laneOf(all[0], NOW + 100))!, NOW + 9000)
      expect(second).toBeDefined()
      await store.release(first, NOW)
      expect(await laneOf(all[0], NOW + 8999)).toBeUndefined()
    })

    it('gives the deliveries of a lane in their order, each after the one before has ended', async () => {
      const { due, all } = await threeInALane()
      let lane = (await store.claim(due, NOW + 100))!
      for (const each of all) {
        expect(await store.head(lane)).toEqual(each)
        expect(await store.update(each, delivered(each))).toBe('updated')
        lane = { ...lane, from: each.id }
      }
      expect(await store.head(lane)).toBeUndefined()
    })

    it('begins a lane that comes back where it ended', async () => {
      const { due, all, tenant, lane } = await threeInALane()
      const claimed = (await store.claim(due, NOW + 100))!
      for (const each of all) await store.update(each, delivered(each))
      await store.release(claimed, 'idle')
      expect(await laneOf(all[0])).toBeUndefined()
      const next = sampleDelivery({ tenant, lane, segment: 3 })
      await store.add(next)
      expect(await store.head((await laneOf(next))!)).toEqual(next)
    })

    it('keeps a lane that something was put into while its last delivery ended', async () => {
      const delivery = sampleDelivery()
      const { tenant, lane } = delivery
      await store.add(delivery)
      const claimed = (await store.claim((await laneOf(delivery))!, NOW + 100))!
      await store.update(delivery, delivered(delivery))
      const late = sampleDelivery({ tenant, lane, segment: 1 })
      await store.add(late)
      await store.release(claimed, 'idle')
      expect(await store.head((await laneOf(late))!)).toEqual(late)
    })

    it('writes a delivery only over the version that was read', async () => {
      const delivery = sampleDelivery()
      await store.add(delivery)
      const tried = afterAttempt(delivery, { status: 500 }, { now: NOW, random: 0 })
      const outcomes = await Promise.all([
        store.update(delivery, tried),
        store.update(delivery, delivered(delivery)),
      ])
      expect([...outcomes].sort()).toEqual(['lost', 'updated'])
      expect(await store.update(sampleDelivery(), delivered(sampleDelivery()))).toBe('gone')
    })

    it('takes nothing more into a lane that is disabled, and remembers what came too late', async () => {
      const delivery = sampleDelivery()
      const { tenant, lane } = delivery
      await store.add(delivery)
      const claimed = (await store.claim((await laneOf(delivery))!, NOW + 100))!
      await store.update(delivery, givenUp(delivery, 'gone', NOW))
      await store.release(claimed, 'disabled')
      const late = sampleDelivery({ tenant, lane, segment: 1 })
      expect(await store.add(late)).toBe('disabled')
      expect(await store.get(tenant, late.id)).toBeUndefined()
      expect(await store.add(givenUp(late, 'gone', NOW))).toBe('added')
      expect(await laneOf(delivery, NOW + 1_000_000)).toBeUndefined()
    })

    it('opens the lane of a delivery that is sent again, which comes before those that wait', async () => {
      const { due, all, tenant, lane } = await threeInALane()
      const claimed = (await store.claim(due, NOW + 100))!
      for (const each of all) await store.update(each, givenUp(each, 'gone', NOW))
      await store.release(claimed, 'disabled')
      const failed = (await store.get(tenant, all[1].id))!
      const again = replayed(failed, NOW)
      expect(await store.update(failed, again)).toBe('updated')
      expect(await store.add(sampleDelivery({ tenant, lane, segment: 3 }))).toBe('added')
      expect(await store.head((await laneOf(again))!)).toEqual(again)
    })

    it('forgets a lane with all that was in it, and no other', async () => {
      const { all, tenant, lane } = await threeInALane()
      const other = sampleDelivery({ tenant })
      await store.add(other)
      await store.update(all[0], delivered(all[0]))
      await store.forget(tenant, lane)
      expect((await store.list(tenant, { limit: 10 })).deliveries).toEqual([other])
      expect(await laneOf(all[0])).toBeUndefined()
      expect(await store.update(all[1], delivered(all[1]))).toBe('gone')
      expect(await laneOf(all[0])).toBeUndefined()
      expect(await laneOf(other)).toBeDefined()
    })
  })
}
