import { describe, expect, it } from '@jest/globals'
import { afterAttempt, givenUp, replayed } from '../../../lib/core/webhooks/after-attempt.ts'
import { Delivery } from '../../../lib/core/webhooks/delivery.ts'
import { TRIED_FOR_MS } from '../../../lib/core/webhooks/schedule.ts'
import { sampleDelivery } from '../../contracts/delivery-store.ts'

const delivery = sampleDelivery({ createdAt: 1000 })
const at = { now: delivery.since + 5000, random: 0.5 }

describe('what an attempt makes of a delivery', () => {
  it.each([200, 201, 204, 299])('it is delivered when the receiver answers %d', (status) => {
    const after = afterAttempt(delivery, { status }, at)
    expect(after).toMatchObject({ status: 'DELIVERED', attempts: 1, lastStatus: status, version: 2 })
    expect(after).not.toHaveProperty('nextAt')
  })

  it.each([301, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])(
    'it is tried again when the receiver answers %d',
    (status) => {
      const after = afterAttempt(delivery, { status }, at)
      expect(after).toMatchObject({
        status: 'PENDING',
        attempts: 1,
        lastStatus: status,
        nextAt: at.now + 1000,
      })
    },
  )

  it.each(['timeout', 'unreachable', 'tls', 'blocked'] as const)(
    'it is tried again after the failure %s, and what the attempt before answered is forgotten',
    (failure) => {
      const before = { ...delivery, lastStatus: 500 }
      const after = afterAttempt(before, { failure }, at)
      expect(after).toMatchObject({ status: 'PENDING', lastFailure: failure })
      expect(after).not.toHaveProperty('lastStatus')
    },
  )

  it('it is given up at once when the receiver answers 410', () => {
    expect(afterAttempt(delivery, { status: 410 }, at)).toMatchObject({ status: 'FAILED', reason: 'gone' })
  })

  it('it is given up and kept when a day has passed', () => {
    const late = { ...at, now: delivery.since + TRIED_FOR_MS }
    const after = afterAttempt(delivery, { status: 500 }, late)
    expect(after).toMatchObject({ status: 'FAILED', reason: 'expired', lastStatus: 500 })
  })

  it('a replay has a new day and the same id', () => {
    const failed = givenUp(delivery, 'expired', at.now)
    const again = replayed(failed, at.now + 1)
    expect(again).toMatchObject({
      id: delivery.id,
      status: 'PENDING',
      attempts: 0,
      since: at.now + 1,
      version: 3,
    })
    expect(again).not.toHaveProperty('reason')
  })

  it('every outcome fits the schema', () => {
    const outcomes = [
      ...[{ status: 200 }, { status: 410 }, { status: 500 }].map((answer) =>
        afterAttempt(delivery, answer, at),
      ),
      ...[givenUp(delivery, 'erased', at.now), replayed(givenUp(delivery, 'gone', at.now), at.now)],
    ]
    for (const outcome of outcomes) expect(Delivery.parse(outcome)).toEqual(outcome)
  })
})
