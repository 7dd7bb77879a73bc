import type { SQSRecord } from 'aws-lambda'
import { type AdvancePorts, advance } from '../../lib/core/live/advance.ts'
import { removeLeftovers } from '../../lib/core/live/erase.ts'
import { LiveMessage } from '../../lib/core/live/messages.ts'
import type { SessionRef } from '../../lib/core/session.ts'
import { DeliverAgain, forRecords, type SqsHandler } from './sqs.ts'

/** The queue's clock and this one may differ by so much. */
const SKEW_MS = 1_000
/** So many sessions are remembered; of a forgotten one a message is looked at in vain. */
const REMEMBERED = 1_000

export type LiveHandlerPorts = AdvancePorts & {
  /** Forgets what sinks have of a session that is gone, where only workers reach them. */
  readonly forgetGone?: (ref: SessionRef) => Promise<void>
}

/** SQS `live`: these sessions have something new. */
export function liveHandler(ports: LiveHandlerPorts, { drain }: { drain: AbortSignal }): SqsHandler {
  /** When the last look at a session began, by group. */
  const looks = new Map<string, number>()

  return forRecords(ports.log, async ({ body, attributes }) => {
    const ref = LiveMessage.parse(JSON.parse(body))
    const group = `${ref.tenant}/${ref.sessionId}`
    // What piles up during a long request needs one look, not one a message.
    if (sentAt(attributes) + SKEW_MS < (looks.get(group) ?? 0)) return
    const begin = ports.clock()
    looks.delete(group)
    try {
      await advance(ports)(ref, drain)
    } catch (thrown) {
      throw drain.aborted ? new DeliverAgain() : thrown
    }
    if (!(await ports.sessions.get(ref))) {
      await removeLeftovers(ports, ref)
      await ports.forgetGone?.(ref)
    }
    if (looks.size >= REMEMBERED) looks.delete(looks.keys().next().value!)
    looks.set(group, begin)
  })
}

/** Now, where the queue does not say. */
const sentAt = (attributes: SQSRecord['attributes'] | undefined): number =>
  Number(attributes?.SentTimestamp ?? Number.POSITIVE_INFINITY)
