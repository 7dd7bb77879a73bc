import * as z from 'zod'
import { digestOf } from '../digest.ts'
import { JobId, Tenant } from '../job.ts'
import { type Session, SessionId } from '../session.ts'

/**
 * What is sent as `webhook-id`: `msg_<lane>_<place in the lane>`. It has no full stop, which the signature uses as its
 * separator, and sorts by the time at which the session began or the job ended.
 */
export const WebhookId = z.string().regex(/^msg_[0-9]{13}_[0-9A-Za-z]{1,40}_[0-9a-z]{1,12}$/)

/** Deliveries of a lane follow each other: one is sent only when those before it have ended. */
const LaneId = z.string().regex(/^[0-9]{13}_[0-9A-Za-z]{1,40}$/)

/** What a delivery is about. The body is made from the stores when it is sent: nothing that was said lies here. */
export const Subject = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('segment'),
    sessionId: SessionId,
    /** `createdAt` of the session: a later one may have the same id. */
    sessionAt: z.int(),
    segment: z.int(),
    /** Epoch ms of the session clock's 0 when the segment was announced, so that every attempt says the same times. */
    zeroAt: z.int(),
  }),
  z.object({ type: z.literal('job.completed'), jobId: JobId, at: z.int() }),
  z.object({ type: z.literal('job.failed'), jobId: JobId, at: z.int() }),
  z.object({ type: z.literal('webhook.test'), at: z.int() }),
])
export type Subject = z.infer<typeof Subject>

/** `live`: the one endpoint that the operator has set for all sessions. `url`: what a client asked for. */
export const Endpoint = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('live') }),
  z.object({ kind: z.literal('url'), url: z.url() }),
])
export type Endpoint = z.infer<typeof Endpoint>

/**
 * Why there was no answer. `tls`: no handshake, or a certificate that is not
 * trusted. `blocked`: an address, port or scheme that outgoing requests must not use.
 */
export const FAILURES = ['timeout', 'unreachable', 'tls', 'blocked'] as const

/**
 * Why it was given up. `expired`: a day has passed; `gone`: the receiver answered 410; `erased`: what it was about no
 * longer exists; `no-endpoint`: the operator has taken the endpoint out of the settings.
 */
export const GIVEN_UP = ['expired', 'gone', 'erased', 'no-endpoint'] as const

const base = {
  id: WebhookId,
  tenant: Tenant,
  lane: LaneId,
  /** Goes up with every write: the stores compare it. */
  version: z.int(),
  subject: Subject,
  endpoint: Endpoint,
  createdAt: z.int(),
  updatedAt: z.int(),
  /** From when its day of attempts counts: `createdAt`, or the time of a replay. */
  since: z.int(),
  attempts: z.int(),
  /** How the last attempt went: the receiver's HTTP status, or why there was none. */
  lastStatus: z.int().optional(),
  lastFailure: z.enum(FAILURES).optional(),
}

/** One webhook on its way. Times are epoch milliseconds. */
export const Delivery = z.discriminatedUnion('status', [
  z.object({ ...base, status: z.literal('PENDING'), nextAt: z.int() }),
  z.object({ ...base, status: z.literal('DELIVERED') }),
  z.object({ ...base, status: z.literal('FAILED'), reason: z.enum(GIVEN_UP) }),
])
export type Delivery = z.infer<typeof Delivery>
export type DeliveryIn<S extends Delivery['status']> = Extract<Delivery, { status: S }>

/** Two tenants may have sessions of one name, and one tenant one after the other: none shares its ids. */
export async function sessionLane({ tenant, sessionId, createdAt }: Session): Promise<string> {
  return `${createdAt}_${(await digestOf([tenant, sessionId])).slice(0, 24)}`
}

/** A job ends once. */
export const jobLane = ({ jobId, updatedAt }: { jobId: string; updatedAt: number }): string =>
  `${updatedAt}_${jobId}`

export const segmentWebhookId = (lane: string, segment: number): string =>
  `msg_${lane}_${String(segment).padStart(8, '0')}`

export const eventWebhookId = (lane: string): string => `msg_${lane}_event`

/** The least text above every id of a lane. */
export const endOfLane = (lane: string): string => `msg_${lane}_~`
export const startOfLane = (lane: string): string => `msg_${lane}_`

/** A delivery as it begins. */
export function newDelivery(
  about: { id: string; tenant: string; lane: string; subject: Subject; endpoint: Endpoint },
  now: number,
): DeliveryIn<'PENDING'> {
  const times = { createdAt: now, updatedAt: now, since: now, nextAt: now }
  return { ...about, ...times, version: 1, attempts: 0, status: 'PENDING' }
}
