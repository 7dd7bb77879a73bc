import type { SessionStore } from '../live/ports.ts'
import type { Clock, JobStore, Log } from '../ports.ts'
import type { Delivery, DeliveryIn, FAILURES } from './delivery.ts'

/** A lane in which something is to be sent. It exists in the store for as long as one of its deliveries is pending. */
export interface Lane {
  readonly tenant: string
  readonly lane: string
  /** Goes up with every claim. */
  readonly version: number
  /** When somebody is to look after it, epoch ms. A claim sets it to when the claim lapses. */
  readonly nextAt: number
  /** No delivery with a lower id is pending. */
  readonly from: string
}

/** The delivery log. Every write is durable when its promise resolves. Ended deliveries are kept for 30 days. */
export interface DeliveryStore {
  /**
   * Stores a delivery once: a second one of the same id changes nothing. A pending one makes its lane due at once,
   * unless it waits already; in a lane that takes no more it is `disabled` and not stored.
   */
  add(delivery: Delivery): Promise<'added' | 'repeated' | 'disabled'>
  get(tenant: string, id: string): Promise<Delivery | undefined>
  /** A tenant's own, newest first. A cursor of another tenant or a broken one is `bad-request`. */
  list(
    tenant: string,
    query: { cursor?: string; limit: number },
  ): Promise<{ readonly deliveries: Delivery[]; readonly cursor?: string }>

  /** Lanes of all tenants with `nextAt` up to `now`, those that wait longest first. */
  due(now: number, limit: number): Promise<Lane[]>
  /** Takes a lane until then. Undefined when somebody else was first. */
  claim(lane: Lane, until: number): Promise<Lane | undefined>
  /** The first pending delivery of a lane. */
  head(lane: Lane): Promise<DeliveryIn<'PENDING'> | undefined>
  /**
   * Writes `next` only if the stored version is `next.version - 1`. A delivery that becomes pending again makes its
   * lane due at once, and open if it took no more.
   */
  update(before: Delivery, next: Delivery): Promise<'updated' | 'lost' | 'gone'>
  /**
   * Gives a claimed lane back, to be looked after at a time. `idle`: nothing is pending; `disabled`: nor will it take
   * more. When something is pending nevertheless, it is due at once. Without effect when the claim has been lost.
   */
  release(lane: Lane, next: number | 'idle' | 'disabled'): Promise<void>
  /** Forgets a lane and its deliveries: what they were about is erased. */
  forget(tenant: string, lane: string): Promise<void>
}

/** Ended deliveries are kept so long after they were made. */
export const KEPT_MS = 30 * 24 * 60 * 60 * 1000

export interface OutgoingRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The operator has set this URL: it may lie in a private network. */
  readonly trusted: boolean
}

/** What came of a request. `retryAfterMs`: how long the receiver wants to be left alone. */
export type Answer =
  | { readonly status: number; readonly retryAfterMs?: number }
  | { readonly failure: (typeof FAILURES)[number] }

/** Sends one POST and never throws; an attempt has an end, whatever the receiver does. */
export type Poster = (request: OutgoingRequest) => Promise<Answer>

export interface WebhookSettings {
  /** Where all finals of all sessions go: `<url>/<session id>`, with `token` as bearer. */
  readonly live?: { readonly url: string; readonly token?: string }
  /** `whsec_…`; more than one while they are changed: every request is signed with each. None: nothing is signed. */
  readonly secrets: readonly string[]
}

export interface AnnouncePorts {
  readonly deliveries: DeliveryStore
  readonly clock: Clock
  /** Tells whoever runs `deliverDue` that it need not wait for its next turn. */
  readonly wakeDeliveries?: () => void
}

export interface DeliverPorts {
  readonly deliveries: DeliveryStore
  readonly sessions: Pick<SessionStore, 'get' | 'segments'>
  readonly jobs: Pick<JobStore, 'get'>
  readonly post: Poster
  readonly webhooks: WebhookSettings
  readonly clock: Clock
  /** 0 up to 1, as Math.random. */
  readonly random: () => number
  readonly log: Log
}
