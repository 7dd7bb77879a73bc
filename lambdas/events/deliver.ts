import { deliverDue } from '../../lib/core/webhooks/deliver.ts'
import type { DeliverPorts } from '../../lib/core/webhooks/ports.ts'

export interface DeliverHost {
  /** Ends the run between two attempts. */
  readonly signal: AbortSignal
  readonly pause: (ms: number) => Promise<void>
}

/** What is due later than this is left to the schedule. */
const LOOK_AHEAD_MS = 15_000
const PAUSE_MS = 1000
/** Wake-ups of one second are one, so what is announced in its rest is found by looking again after it. */
const LEAST_LOOKS = 2

/**
 * Sends webhooks as long as there are any to be sent within some seconds: the next of a session, or one that has failed
 * and is tried again soon. Woken by whoever announces one, and every minute. Returns how many deliveries have ended.
 */
export const deliverHandler =
  (ports: DeliverPorts) =>
  async ({ signal, pause }: DeliverHost): Promise<number> => {
    let ended = 0
    for (let looks = 1; ; looks++) {
      ended += await deliverDue(ports)(signal)
      const [next] = await ports.deliveries.due(ports.clock() + LOOK_AHEAD_MS, 1)
      if (signal.aborted || (!next && looks >= LEAST_LOOKS)) return ended
      await pause(PAUSE_MS)
    }
  }
