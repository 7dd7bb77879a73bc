import type { Delivery, DeliveryIn, GIVEN_UP } from './delivery.ts'
import type { Answer } from './ports.ts'
import { nextAttemptAt } from './schedule.ts'

type Pending = DeliveryIn<'PENDING'>

/**
 * What an attempt makes of a delivery. As the Standard Webhooks specification has it: 2xx is success, 410 tells that
 * nothing more is wanted, and everything else is tried again: 4xx too, since a receiver's wrong token or route gets
 * mended, and 3xx, which is not followed.
 */
export function afterAttempt(
  delivery: Pending,
  answer: Answer,
  { now, random }: { now: number; random: number },
): Delivery {
  const tried = withResult(delivery, answer, now)
  if ('status' in answer) {
    if (answer.status >= 200 && answer.status <= 299) return ended(tried)
    if (answer.status === 410) return { ...ended(tried), status: 'FAILED', reason: 'gone' }
  }
  const { since, attempts } = tried
  const retryAfterMs = 'status' in answer ? answer.retryAfterMs : undefined
  const nextAt = nextAttemptAt({
    ...{ since, attempts, now, random },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
  return nextAt === undefined
    ? { ...ended(tried), status: 'FAILED', reason: 'expired' }
    : { ...tried, nextAt }
}

/** The delivery, never to be sent. */
export function givenUp(delivery: Pending, reason: (typeof GIVEN_UP)[number], now: number): Delivery {
  const next = { ...delivery, version: delivery.version + 1, updatedAt: now }
  return { ...ended(next), status: 'FAILED', reason }
}

/** The delivery from its beginning: a new day of attempts under the same id. */
export function replayed(delivery: Delivery, now: number): Pending {
  const { id, tenant, lane, subject, endpoint, createdAt } = delivery
  const same = { id, tenant, lane, subject, endpoint, createdAt }
  const version = delivery.version + 1
  return { ...same, version, updatedAt: now, since: now, nextAt: now, attempts: 0, status: 'PENDING' }
}

function withResult(delivery: Pending, answer: Answer, now: number): Pending {
  const { lastStatus: _, lastFailure: __, ...rest } = delivery
  return {
    ...rest,
    version: delivery.version + 1,
    updatedAt: now,
    attempts: delivery.attempts + 1,
    ...('status' in answer ? { lastStatus: answer.status } : { lastFailure: answer.failure }),
  }
}

function ended({ nextAt: _, ...rest }: Pending): DeliveryIn<'DELIVERED'> {
  return { ...rest, status: 'DELIVERED' }
}
