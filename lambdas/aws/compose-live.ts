import { ulid } from 'ulid'
import { documentClient } from '../../lib/adapters/aws/clients.ts'
import { FunctionEnvironment, SessionEnvironment } from '../../lib/adapters/aws/environment.ts'
import { createTokenStore } from '../../lib/adapters/aws/token-store.ts'
import { readEnvironment } from '../../lib/adapters/env.ts'
import { VerbatimError } from '../../lib/core/errors.ts'
import { LIVE_DEFAULTS } from '../../lib/core/live/settings.ts'
import type { Queue } from '../../lib/core/ports.ts'
import type { Session } from '../../lib/core/session.ts'
import { sessionLane } from '../../lib/core/webhooks/delivery.ts'
import { announcing, liveQueueOf, logOf, openStores, type Settled, sessionsOf } from './compose.ts'

// The live lane over the AWS adapters: what local/compose-live.ts is for one machine. What only workers need is in
// compose-live-worker.ts, webhooks are in compose-webhooks.ts: a package that can't be left out of a bundle is then only
// where it is used.

/** What the live routes of the API need. */
export function composeLiveApi() {
  const environment = readEnvironment(FunctionEnvironment)
  const { EVENTS_URL: eventsUrl } = readEnvironment(SessionEnvironment)
  const stores = openStores(environment, '/tmp')
  const { deliveries } = announcing(environment, stores)
  return {
    ...{ ...stores, live: liveQueue(environment), sessions: sessionsOf(environment), deliveries },
    tokens: createTokenStore(documentClient(), environment.TABLE_NAME),
    ...{ liveSettings: settingsOf(environment), newPostId: ulid },
    ...(eventsUrl !== undefined && { eventsUrl }),
    // What lies in Redis is the worker's to forget: only it is in that network.
    forgetOutside: async (session: Session) => deliveries.forget(session.tenant, await sessionLane(session)),
  }
}

/** What streams captions. */
export function composeFollow() {
  const environment = readEnvironment(FunctionEnvironment)
  const tokens = createTokenStore(documentClient(), environment.TABLE_NAME)
  return { ...logOf(environment), tokens, clock: Date.now, sessions: sessionsOf(environment) }
}

/** What looks after sessions, without a part in what they say. */
export function composeTick() {
  const environment = readEnvironment(FunctionEnvironment)
  return {
    ...{ ...logOf(environment), clock: Date.now, live: liveQueue(environment) },
    ...{ sessions: sessionsOf(environment), liveSettings: settingsOf(environment) },
    // Their names: whether one is behind is known by them.
    sinks: [...(environment.ENGINE_API_URL ? [{ name: 'webhook' }] : [])],
  }
}

export const settingsOf = ({ LIVE_IDLE_MS: idleMs }: Settled) => ({
  ...LIVE_DEFAULTS,
  ...(idleMs !== undefined && { idleMs }),
})

export function liveQueue(environment: Settled, giveBackMs = 0): Queue {
  const { live } = liveQueueOf(environment, giveBackMs)
  if (live) return live
  throw new VerbatimError('internal', 'LIVE_QUEUE_URL is not set.')
}
