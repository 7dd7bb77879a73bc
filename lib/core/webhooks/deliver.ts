import { toVerbatimError } from '../errors.ts'
import { afterAttempt, givenUp } from './after-attempt.ts'
import { bodyOf } from './body.ts'
import type { Delivery, DeliveryIn } from './delivery.ts'
import type { DeliverPorts, Lane, OutgoingRequest } from './ports.ts'
import { tenantSecret, webhookHeaders } from './signature.ts'

/** A lane whose sender has died is taken up again after this long. */
const CLAIM_MS = 30_000
/** So long new attempts are begun; one takes at most 10 s (guarded-request.ts), so none outlasts the claim. */
const WORK_MS = 15_000
/** Lanes that are worked on side by side, and how many in one run: dead receivers can't make it last for minutes. */
const SIDE_BY_SIDE = 32
const MOST_LANES = 128

/**
 * Sends what is due: each lane in order, many lanes side by side. Any number of workers may do this at once.
 *
 * A delivery counts as made when its record says so, which is written after the receiver has answered. A worker that
 * dies in between sends it again later: at least once on the wire, always with the same `webhook-id`, by which the
 * receiver knows that it has it already. Returns how many deliveries have ended.
 */
export const deliverDue =
  (ports: DeliverPorts) =>
  async (signal?: AbortSignal): Promise<number> => {
    const lanes = await ports.deliveries.due(ports.clock(), MOST_LANES)
    const next = lanes.values()
    let ended = 0
    const worker = async () => {
      for (const lane of next) {
        if (signal?.aborted) return
        try {
          ended += await deliverLane(ports, lane, signal)
        } catch (thrown) {
          // The claim lapses, then the lane is due again; the other lanes go on.
          ports.log.error('webhook-lane-failed', { tenant: lane.tenant, code: toVerbatimError(thrown).code })
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, lanes.length) }, worker))
    return ended
  }

/** Takes a lane, sends what is due in it, gives it back. */
async function deliverLane(ports: DeliverPorts, due: Lane, signal?: AbortSignal): Promise<number> {
  const { deliveries, clock } = ports
  const lane = await deliveries.claim(due, clock() + CLAIM_MS)
  if (!lane) return 0
  const { ended, next } = await workThrough(ports, lane, signal)
  if (next !== 'lost') await deliveries.release(lane, next)
  return ended
}

/** Sends one after the other until one has to wait, or the claim may not last for another attempt. */
async function workThrough(ports: DeliverPorts, lane: Lane, signal?: AbortSignal) {
  const { deliveries, clock } = ports
  const until = clock() + WORK_MS
  let { from } = lane
  let gone = false
  for (let ended = 0; ; ended++) {
    const head = await deliveries.head({ ...lane, from })
    if (!head) return { ended, next: gone ? ('disabled' as const) : ('idle' as const) }
    const now = clock()
    if (head.nextAt > now) return { ended, next: head.nextAt }
    if (now >= until || signal?.aborted) return { ended, next: now }

    const after: Delivery = gone ? givenUp(head, 'gone', now) : await attempt(ports, head)
    // Lost: the claim had lapsed, and somebody else looks after the lane. Gone: it is being erased.
    if ((await deliveries.update(head, after)) !== 'updated') return { ended, next: 'lost' as const }
    tell(ports, after)
    if (after.status === 'PENDING') return { ended, next: after.nextAt }
    gone ||= after.status === 'FAILED' && after.reason === 'gone'
    from = head.id
  }
}

async function attempt(ports: DeliverPorts, delivery: DeliveryIn<'PENDING'>): Promise<Delivery> {
  const { clock, random } = ports
  const body = await bodyOf(ports, delivery)
  if (body === undefined) return givenUp(delivery, 'erased', clock())
  const request = await requestFor(ports, delivery, body)
  if (!request) return givenUp(delivery, 'no-endpoint', clock())
  const answer = await ports.post(request)
  return afterAttempt(delivery, answer, { now: clock(), random: random() })
}

/** The operator's token goes to the operator's endpoint alone. */
async function requestFor(
  { webhooks: { live, secrets }, clock }: DeliverPorts,
  { id, tenant, endpoint, subject }: Delivery,
  body: string,
): Promise<OutgoingRequest | undefined> {
  const own = endpoint.kind === 'live'
  const keys = own ? secrets : await Promise.all(secrets.map((secret) => tenantSecret(secret, tenant)))
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'verbatim-webhooks/1',
    ...(await webhookHeaders(keys, { id, atMs: clock(), body })),
  }
  if (!own) return { url: endpoint.url, headers, body, trusted: false }
  if (!live) return undefined
  const url = subject.type === 'segment' ? below(live.url, subject.sessionId) : live.url
  const token = live.token && { authorization: `Bearer ${live.token}` }
  return { url, headers: { ...headers, ...token }, body, trusted: true }
}

/** `<url>/<name>`; a query stays at the end. Session ids have only characters that may stand in a path. */
function below(base: string, name: string): string {
  const [path, ...query] = base.split('?')
  return [`${path!.replace(/\/+$/, '')}/${name}`, ...query].join('?')
}

function tell(
  { log }: DeliverPorts,
  { id, tenant, attempts, lastStatus, lastFailure, ...rest }: Delivery,
): void {
  if (rest.status === 'DELIVERED') return
  const code = rest.status === 'FAILED' ? rest.reason : lastFailure
  const fields = { messageId: id, tenant, attempt: attempts }
  log.warn(rest.status === 'FAILED' ? 'webhook-given-up' : 'webhook-not-taken', {
    ...fields,
    ...(lastStatus !== undefined && { status: lastStatus }),
    ...(code !== undefined && { code }),
  })
}
