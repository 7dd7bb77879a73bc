import { ulid } from 'ulid'
import { createSoundReader } from '../../lib/adapters/audio/sound-reader.ts'
import { cacheCredentials } from '../../lib/adapters/aws/cache-token.ts'
import { CacheEnvironment } from '../../lib/adapters/aws/environment.ts'
import { readEnvironment } from '../../lib/adapters/env.ts'
import { createRedisSink } from '../../lib/adapters/sinks/redis.ts'
import type { Sink } from '../../lib/core/live/ports.ts'
import { LIVE_DEFAULTS } from '../../lib/core/live/settings.ts'
import type { Engine } from '../../lib/core/ports.ts'
import { webhookSink } from '../../lib/core/webhooks/announce.ts'
import { type OpenWorker, sessionsOf } from './compose.ts'
import { liveQueue, settingsOf } from './compose-live.ts'

const SECOND = 1000

/** A worker of the live lane, which may share its engine with the batch lane. */
export function composeLiveWorker(opened: OpenWorker, engine: Engine) {
  const { environment, stores, outgoing, decoder, soundDir } = opened
  const live = liveQueue(environment, 2 * SECOND)
  const sessions = sessionsOf(environment)
  const redis = redisOf(sessions)
  const sinks: Sink[] = [
    ...(environment.ENGINE_API_URL === undefined ? [] : [webhookSink(outgoing)]),
    ...(redis ? [redis] : []),
  ]
  return {
    live,
    ports: {
      ...{ ...stores, live, sessions, engine, sinks, liveSettings: settingsOf(environment) },
      sound: createSoundReader({ decoder, scratchDir: soundDir }),
      ...{ newPostId: ulid, newJobId: ulid, settled: outgoing.settled },
      ...(redis && { forgetGone: redis.remove }),
    },
  }
}

function redisOf(sessions: ReturnType<typeof sessionsOf>) {
  const { CACHE_HOST: host, CACHE_NAME: cache, CACHE_USER: user } = readEnvironment(CacheEnvironment)
  if (host === undefined || cache === undefined || user === undefined) return undefined
  const credentials = cacheCredentials({ cache, user })
  return createRedisSink({
    ...{ url: `rediss://${host}:6379`, credentials, sessions, ttlMs: LIVE_DEFAULTS.segmentsTtlMs },
  })
}
