import { toVerbatimError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { LivePorts } from './ports.ts'
import type { LiveState } from './state.ts'

/** Finals that go to a sink in one call. */
const AT_ONCE = 500
const NAMES_LATE_MS = 5_000

type PublishPorts = Pick<LivePorts, 'sessions' | 'sinks' | 'log' | 'clock'>

/**
 * Brings every sink up to the last final. Sinks take each final over once however often they get it, so what `live`
 * says of them may be behind. One that can't be reached is left for later and holds nobody up. Gives how far they are:
 * the very same object when that is not further.
 */
export const publishFinals =
  ({ sessions, sinks, log, clock }: PublishPorts) =>
  async (session: Session, live: LiveState): Promise<LiveState['published']> => {
    const published = { ...live.published }
    // Where nothing more comes in, nobody waits for a name either.
    const until = clock() - live.at > NAMES_LATE_MS ? live.nextSegment : live.settledSegment
    const bring = async (sink: LivePorts['sinks'][number]) => {
      const from = published[sink.name] ?? 0
      for (let next = from; next < until; ) {
        const limit = Math.min(AT_ONCE, until - next)
        const finals = await sessions.segments(session, { after: next - 1, limit })
        if (finals.length === 0) return
        await sink.publish(session, finals, live.ingest.zeroAt ?? session.createdAt)
        next = finals.at(-1)!.id + 1
        published[sink.name] = next
      }
    }
    const outcomes = await Promise.allSettled(sinks.map(bring))
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        log.warn('sink not reached', { tenant: session.tenant, code: toVerbatimError(outcome.reason).code })
      }
    }
    return sinks.some(({ name }) => published[name] !== live.published[name]) ? published : live.published
  }
