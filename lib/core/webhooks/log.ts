import { VerbatimError } from '../errors.ts'
import { announceTest } from './announce.ts'
import type { DeliveryList, DeliveryQuery, DeliveryView } from './contract.ts'
import type { Delivery } from './delivery.ts'
import type { AnnouncePorts, DeliveryStore, WebhookSettings } from './ports.ts'

/** A search looks at so many deliveries at most, then gives back what it has with a cursor. */
const MOST_SEEN = 2000
/** The store is asked for so many at once where only some of them are wanted. */
const PAGE = 100

/** A page of a tenant's delivery log, newest first. Fails with `bad-request` for a broken cursor. */
export const listDeliveries =
  ({ deliveries }: { deliveries: Pick<DeliveryStore, 'list'> }) =>
  async (tenant: string, { status, cursor, limit }: DeliveryQuery): Promise<DeliveryList> => {
    const found: Delivery[] = []
    let at = cursor
    for (let seen = 0; seen < MOST_SEEN; seen += PAGE) {
      // Never more than still fit, so that the cursor never skips what was found but not given.
      const size = Math.min(PAGE, limit - found.length)
      const page = await deliveries.list(tenant, { limit: size, ...(at !== undefined && { cursor: at }) })
      found.push(...page.deliveries.filter((delivery) => !status || delivery.status === status))
      at = page.cursor
      if (at === undefined || found.length >= limit) break
    }
    return { deliveries: found.map(viewDelivery), ...(at !== undefined && { cursor: at }) }
  }

export interface TestPorts extends AnnouncePorts {
  readonly webhooks: Pick<WebhookSettings, 'live'>
  /** Whether a client's URL is one that webhooks may be sent to. */
  readonly mayPostTo: (url: string) => boolean
}

/**
 * Sends a `webhook.test` event to `url`, or to the operator's endpoint. Fails with `bad-request` for a URL that nothing
 * is sent to, with `wrong-state` when there is no endpoint. `nonce`: letters and digits, never the same twice.
 */
export const testWebhook =
  (ports: TestPorts) =>
  async (tenant: string, url: string | undefined, nonce: string): Promise<DeliveryView> => {
    if (url === undefined && !ports.webhooks.live) {
      throw new VerbatimError(
        'wrong-state',
        'This service has no endpoint for the captions of all sessions.',
        {
          hint: 'Name a URL to test, or let the operator set one (ENGINE_API_URL).',
        },
      )
    }
    if (url !== undefined && !ports.mayPostTo(url)) {
      throw new VerbatimError('bad-request', 'Webhooks are not sent to this URL.', {
        hint: 'Use https and a public address; the operator may allow others.',
      })
    }
    const endpoint = url === undefined ? ({ kind: 'live' } as const) : ({ kind: 'url', url } as const)
    return viewDelivery(await announceTest(ports)(tenant, endpoint, nonce))
  }

export function viewDelivery(delivery: Delivery): DeliveryView {
  const { id, status, subject, endpoint, createdAt, updatedAt, attempts, lastStatus, lastFailure } = delivery
  return {
    ...{ deliveryId: id, status, type: subject.type },
    ...('sessionId' in subject && { sessionId: subject.sessionId, segmentId: subject.segment }),
    ...('jobId' in subject && { jobId: subject.jobId }),
    ...(endpoint.kind === 'url' && { url: endpoint.url }),
    ...{ createdAt: iso(createdAt), updatedAt: iso(updatedAt), attempts },
    ...(delivery.status === 'PENDING' && { nextAttemptAt: iso(delivery.nextAt) }),
    ...(lastStatus !== undefined && { lastStatus }),
    ...(lastFailure !== undefined && { lastFailure }),
    ...(delivery.status === 'FAILED' && { reason: delivery.reason }),
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()
