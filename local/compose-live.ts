import { join } from 'node:path'
import { ulid } from 'ulid'
import { eventsHandler } from '../lambdas/api/events.ts'
import {
  closeHandler,
  eraseSessionHandler,
  sessionHandler,
  sessionsHandler,
  speakerHandler,
  streamHandler,
  transcriptionHandler,
} from '../lambdas/api/live.ts'
import type { LiveRouteName } from '../lambdas/api/routes.ts'
import { deliveriesHandler, replayHandler, testWebhookHandler } from '../lambdas/api/webhooks.ts'
import { liveHandler } from '../lambdas/events/live.ts'
import { liveDeadLetterHandler } from '../lambdas/events/live-dead-letter.ts'
import { createSoundReader } from '../lib/adapters/audio/sound-reader.ts'
import { readEnvironment } from '../lib/adapters/env.ts'
import type { Database } from '../lib/adapters/local/database.ts'
import { createDeliveryStore } from '../lib/adapters/local/delivery-store.ts'
import { createQueue } from '../lib/adapters/local/queue.ts'
import { createSessionStore, type LocalSessionStore } from '../lib/adapters/local/session-store.ts'
import { SinkEnvironment, sinkSettings } from '../lib/adapters/sinks/environment.ts'
import { mayPostTo } from '../lib/adapters/sinks/may-post.ts'
import { createRedisSink } from '../lib/adapters/sinks/redis.ts'
import { createPoster } from '../lib/adapters/sinks/webhook.ts'
import { announceEnd } from '../lib/core/batch/announce-end.ts'
import { closeIdle } from '../lib/core/live/8-close.ts'
import type { AdvancePorts } from '../lib/core/live/advance.ts'
import { removeLeftovers } from '../lib/core/live/erase.ts'
import type { LivePorts, Sink } from '../lib/core/live/ports.ts'
import { LIVE_DEFAULTS } from '../lib/core/live/settings.ts'
import type { Decoder, Engine, ShardStore, TokenStore } from '../lib/core/ports.ts'
import type { Session } from '../lib/core/session.ts'
import { webhookSink } from '../lib/core/webhooks/announce.ts'
import { deliverDue } from '../lib/core/webhooks/deliver.ts'
import { sessionLane } from '../lib/core/webhooks/delivery.ts'
import type { Composition } from './compose.ts'
import type { Handlers } from './http-server.ts'
import type { ServiceOptions } from './options.ts'
import type { Tick } from './tick.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** How long a session and its words are known; the job of its recording stays until it is erased. */
const KEEP_MS = LIVE_DEFAULTS.maxDurationMs + 7 * DAY

/** What the batch lane has, and is the live lane's too. */
type Shared = Pick<AdvancePorts, 'objects' | 'jobs' | 'clock' | 'log' | 'settings' | 'newJobId'> & {
  readonly tokens: TokenStore
  readonly shards: ShardStore
}

export interface LiveParts {
  readonly options: ServiceOptions
  readonly db: Database
  /** Whose requests don't wait behind those of recordings. */
  readonly engine: Engine
  readonly decoder: Decoder
  readonly drain: AbortSignal
}

/** The live lane and the webhooks of both lanes, over the local adapters. */
export async function composeLive(parts: LiveParts, shared: Shared) {
  const { options, db, engine, decoder, drain } = parts
  const { objects } = shared
  const sessions = createSessionStore(db, { keepMs: KEEP_MS })
  const live = createQueue(db, 'live', { maxReceives: 20, deadLetterQueue: 'live-dead' })
  const dead = createQueue(db, 'live-dead', { maxReceives: 1000 })
  for (const queue of [live, dead]) await queue.releaseAll()
  await sweepSessions({ sessions, objects })

  const outside = await composeOutside(db, { ...shared, sessions })
  const ports = {
    ...{ ...shared, sessions, live, engine, sinks: outside.sinks, liveSettings: LIVE_DEFAULTS },
    sound: createSoundReader({ decoder, scratchDir: join(options.data, 'scratch') }),
    ...{ newPostId: ulid, deliveries: outside.announcing.deliveries, forgetOutside: outside.forget },
  }
  const outgoing = {
    ...shared,
    ...outside.announcing,
    webhooks: outside.webhooks,
    mayPostTo: outside.mayPostTo,
  }
  const handlers = {
    stream: streamHandler(ports),
    speaker: speakerHandler(ports),
    transcription: transcriptionHandler(ports),
    events: eventsHandler(ports),
    sessions: sessionsHandler(ports),
    session: sessionHandler(ports),
    closeSession: closeHandler(ports),
    eraseSession: eraseSessionHandler(ports),
    deliveries: deliveriesHandler(outgoing),
    replayDelivery: replayHandler(outgoing),
    testWebhook: testWebhookHandler(outgoing),
  } satisfies Pick<Handlers, LiveRouteName>
  const queues: Composition['queues'] = [
    { name: 'live', queue: live, handler: liveHandler(ports, { drain }), lanes: options.sessions },
    { name: 'live-dead', queue: dead, handler: liveDeadLetterHandler(ports), lanes: 1 },
  ]
  const ticks: Tick[] = [
    { name: 'sessions', everyMs: 2 * SECOND, run: closeIdle(ports) },
    { name: 'sweep', everyMs: 10 * MINUTE, run: () => sweepSessions(ports) },
    outside.tick,
  ]
  const batch = {
    sessions,
    deliveries: outside.announcing.deliveries,
    mayPostTo: outside.mayPostTo,
    ended: announceEnd({ live, jobs: shared.jobs, ...outside.announcing }),
  }
  return { handlers, queues, ticks, batch, close: outside.close }
}

/** Sessions whose time is up leave the store; their sound goes with them. */
async function sweepSessions(ports: { sessions: LocalSessionStore; objects: LivePorts['objects'] }) {
  for (const ref of await ports.sessions.removeExpired()) await removeLeftovers(ports, ref)
}

/** What goes out of this machine: Redis and webhooks, as far as the environment asks for them. */
async function composeOutside(db: Database, shared: Shared & Pick<LivePorts, 'sessions'>) {
  const { clock, sessions } = shared
  const { webhooks, outgoing, redis: redisAt } = sinkSettings(readEnvironment(SinkEnvironment))
  const deliveries = createDeliveryStore(db)
  await deliveries.releaseAll()
  const announcing = { deliveries, clock, wakeDeliveries: () => void db.wakeups.emit('deliveries') }
  const redis = redisAt && createRedisSink({ ...redisAt, sessions, ttlMs: LIVE_DEFAULTS.segmentsTtlMs })
  const sinks: Sink[] = [...(webhooks.live ? [webhookSink(announcing)] : []), ...(redis ? [redis] : [])]
  const deliver = deliverDue({
    ...{ ...shared, deliveries, webhooks, random: Math.random, post: createPoster(outgoing) },
  })
  return {
    ...{ sinks, announcing, webhooks },
    mayPostTo: (url: string) => mayPostTo(url, outgoing),
    tick: {
      name: 'deliveries',
      everyMs: SECOND,
      run: deliver,
      onWake: (wake: () => void) => void db.wakeups.on('deliveries', wake),
    } satisfies Tick,
    forget: async (session: Session): Promise<void> => {
      await deliveries.forget(session.tenant, await sessionLane(session))
      await redis?.remove(session)
    },
    close: () => redis?.close(),
  }
}
