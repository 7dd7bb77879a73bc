import { VerbatimError } from '../errors.ts'
import type { Job } from '../job.ts'
import type { Sink } from '../live/ports.ts'
import { givenUp, replayed } from './after-attempt.ts'
import {
  type Delivery,
  type DeliveryIn,
  type Endpoint,
  eventWebhookId,
  jobLane,
  newDelivery,
  segmentWebhookId,
  sessionLane,
} from './delivery.ts'
import type { AnnouncePorts } from './ports.ts'

/**
 * Finals to the operator's endpoint: one delivery each, in the session's lane. A final that was announced before
 * changes nothing, so this may be repeated. The sending is `deliverDue`'s; a receiver that is down fails nothing here.
 */
export const webhookSink = (ports: AnnouncePorts): Sink => ({
  name: 'webhook',
  async publish(session, segments, zeroAt) {
    const { tenant, sessionId, createdAt: sessionAt } = session
    const lane = await sessionLane(session)
    let added = 0
    for (const { id: segment } of segments) {
      const id = segmentWebhookId(lane, segment)
      const subject = { type: 'segment', sessionId, sessionAt, segment, zeroAt } as const
      const about = { id, tenant, lane, subject, endpoint: { kind: 'live' } } as const
      if (await addOnce(ports, newDelivery(about, ports.clock()))) added++
    }
    if (added > 0) ports.wakeDeliveries?.()
  },
})

/**
 * Tells `url` that a job has ended, once per job. A job that goes on, or was cancelled by its owner, is not announced.
 */
export const announceJob =
  (ports: AnnouncePorts) =>
  async (job: Job, url: string): Promise<void> => {
    if (job.status !== 'COMPLETED' && job.status !== 'FAILED') return
    const { tenant, jobId, updatedAt: at } = job
    const type = job.status === 'COMPLETED' ? 'job.completed' : 'job.failed'
    const lane = jobLane(job)
    const endpoint = { kind: 'url', url } as const
    const about = { id: eventWebhookId(lane), tenant, lane, subject: { type, jobId, at }, endpoint } as const
    if (await addOnce(ports, newDelivery(about, ports.clock()))) ports.wakeDeliveries?.()
  }

/** Sends a `webhook.test` event to an endpoint, so that its owner sees whether it works. `nonce`: letters and digits. */
export const announceTest =
  (ports: AnnouncePorts) =>
  async (tenant: string, endpoint: Endpoint, nonce: string): Promise<Delivery> => {
    const at = ports.clock()
    const lane = `${at}_${nonce}`
    const about = {
      id: eventWebhookId(lane),
      tenant,
      lane,
      subject: { type: 'webhook.test', at },
      endpoint,
    } as const
    const delivery = newDelivery(about, at)
    await addOnce(ports, delivery)
    ports.wakeDeliveries?.()
    return delivery
  }

/**
 * Sends a delivery again under its own id, whatever came of it before; those after it in its lane wait for it.
 * Fails with `not-found`.
 */
export const replay =
  (ports: AnnouncePorts) =>
  async (tenant: string, id: string): Promise<Delivery> => {
    for (;;) {
      const delivery = await ports.deliveries.get(tenant, id)
      if (!delivery) throw new VerbatimError('not-found', 'There is no such webhook.')
      const next = replayed(delivery, ports.clock())
      if ((await ports.deliveries.update(delivery, next)) !== 'updated') continue
      ports.wakeDeliveries?.()
      return next
    }
  }

/** True if it was not there yet. What a receiver no longer wants goes into the log as that. */
async function addOnce(
  { deliveries, clock }: AnnouncePorts,
  delivery: DeliveryIn<'PENDING'>,
): Promise<boolean> {
  const outcome = await deliveries.add(delivery)
  if (outcome !== 'disabled') return outcome === 'added'
  return (await deliveries.add(givenUp(delivery, 'gone', clock()))) === 'added'
}
