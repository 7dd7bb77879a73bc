import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ulid } from 'ulid'
import { createDecoder } from '../../lib/adapters/audio/decoder.ts'
import { findFfmpeg } from '../../lib/adapters/audio/ffmpeg.ts'
import { soundPacker } from '../../lib/adapters/audio/pack.ts'
import { documentClient, s3Client, sqsClient } from '../../lib/adapters/aws/clients.ts'
import { createDeliveryStore } from '../../lib/adapters/aws/delivery-store.ts'
import { FunctionEnvironment, WorkerEnvironment } from '../../lib/adapters/aws/environment.ts'
import { createJobStore } from '../../lib/adapters/aws/job-store.ts'
import { createAwsLog } from '../../lib/adapters/aws/logger.ts'
import { type MeterOptions, meteredLog } from '../../lib/adapters/aws/metrics.ts'
import { createObjectStore } from '../../lib/adapters/aws/object-store.ts'
import { createQueue } from '../../lib/adapters/aws/queue.ts'
import { createSessionStore } from '../../lib/adapters/aws/session-store.ts'
import { createShardStore } from '../../lib/adapters/aws/shard-store.ts'
import { createTokenStore } from '../../lib/adapters/aws/token-store.ts'
import { env, readEnvironment } from '../../lib/adapters/env.ts'
import { mayPostTo } from '../../lib/adapters/sinks/may-post.ts'
import { createEngine } from '../../lib/adapters/whisper/pool.ts'
import { announceEnd } from '../../lib/core/batch/announce-end.ts'
import type { Log } from '../../lib/core/ports.ts'
import { DEFAULT_SETTINGS, type Pace } from '../../lib/core/settings.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { createWaker } from './waker.ts'

// Wires the handlers to the AWS adapters: what local/compose.ts is for one machine. Each function is called once per
// process, by an entry file; what an entry does not call, esbuild leaves out of its bundle.

const SECOND = 1000
const DAY = 86_400 * SECOND

/** GET /health and GET /openapi.json touch nothing. */
export function composeAbout() {
  const environment = readEnvironment(FunctionEnvironment)
  return { ...logOf(environment), about: { version: packageJson.version, model: environment.MODEL } }
}

/** What the handlers of the API need. */
export function composeApi() {
  const environment = readEnvironment(FunctionEnvironment)
  const rules = outgoingRulesOf(environment)
  return {
    ...openStores(environment, '/tmp'),
    tokens: createTokenStore(documentClient(), environment.TABLE_NAME),
    deliveries: createDeliveryStore(documentClient(), environment.TABLE_NAME),
    newJobId: ulid,
    mayPostTo: (url: string) => mayPostTo(url, rules),
  }
}

/** What the handlers of events need: recordings have arrived, messages have died. */
export function composeEvents() {
  const environment = readEnvironment(FunctionEnvironment)
  const stores = openStores(environment, '/tmp')
  const outgoing = announcing(environment, stores)
  return {
    ...{ ...stores, settled: outgoing.settled },
    work: createQueue(sqsClient(), { url: environment.WORK_QUEUE_URL }),
    ...longWorkOf(environment),
    ended: announceEnd({ ...stores, ...outgoing, ...liveQueueOf(environment) }),
  }
}

/**
 * What workers of both lanes are made of: one engine per process, started by the first window that is to be heard and
 * kept from then on. `close` is for a program that ends by itself.
 */
export async function openWorker() {
  const environment = readEnvironment(WorkerEnvironment)
  const scratchDir = join(environment.SCRATCH_DIR, 'verbatim')
  // Whatever is there, a process has left that was here before and died.
  await rm(scratchDir, { recursive: true, force: true })
  const { COMPUTE: compute, DOLLARS_PER_HOUR: dollarsPerHour } = environment
  const stores = openStores(environment, join(scratchDir, 'objects'), { compute, dollarsPerHour })
  const engine = createEngine({
    ...{ serverPath: environment.ENGINE_PATH, version: environment.ENGINE_VERSION, log: stores.log },
    ...{ modelPath: environment.MODEL_PATH, modelName: environment.MODEL },
    ...{ threads: environment.THREADS, processes: environment.ENGINES },
  })
  const ffmpeg = await findFfmpeg({ override: env().VERBATIM_FFMPEG, searchPath: env().PATH })
  const soundDir = join(scratchDir, 'sound')
  const decoder = createDecoder({ ffmpeg, scratchDir: soundDir })
  return {
    ...{ environment, stores, engine, decoder, soundDir, engines: environment.ENGINES },
    outgoing: announcing(environment, stores),
    close: () => engine.close(),
  }
}

export type OpenWorker = Awaited<ReturnType<typeof openWorker>>

/** A worker of the batch lane. */
export function composeWorker({ environment, stores, engine, decoder, outgoing }: OpenWorker) {
  const ended = announceEnd({ ...stores, ...outgoing, ...liveQueueOf(environment) })
  const { WORK_QUEUE_URL, SHARDS_QUEUE_URL } = environment
  const queue = (url: string) => createQueue(sqsClient(), { url, giveBackMs: GIVE_BACK_MS })
  const shardWork = queue(SHARDS_QUEUE_URL)
  return {
    ports: {
      ...{ ...stores, engine, decoder, ended, sessions: sessionsOf(environment) },
      ...{ shardWork, packer: soundPacker },
      ...{ settled: outgoing.settled, ...longWorkOf(environment) },
    },
    ...{ work: queue(WORK_QUEUE_URL), shardWork },
    /** Whether a record of a Lambda's event is of the shards' queue. */
    isShard: ({ eventSourceARN }: { eventSourceARN: string }) =>
      eventSourceARN.split(':').at(-1) === SHARDS_QUEUE_URL.split('/').at(-1),
    ...{ log: stores.log, worker: randomUUID() },
  }
}

export type Settled = ReturnType<typeof readEnvironment<typeof FunctionEnvironment>>

/**
 * The pause before another attempt. All deliveries of a shard together must outlast a lease: it may be the last, and wait
 * for a worker that joined the others and died.
 */
const GIVE_BACK_MS = 30 * SECOND

/** Only where both kinds of worker are, and not for those of the long recordings themselves. */
function longWorkOf({ LONG_WORK_QUEUE_URL: url, LONG_FROM_MS, LONG_FROM_BYTES }: Settled) {
  if (url === undefined || LONG_FROM_MS === undefined || LONG_FROM_BYTES === undefined) return {}
  const queue = createQueue(sqsClient(), { url })
  return { longWork: { queue, fromMs: LONG_FROM_MS, fromBytes: LONG_FROM_BYTES } }
}

/** Only where there is a live lane. */
export function liveQueueOf({ LIVE_QUEUE_URL: url }: Settled, giveBackMs = 0) {
  return url === undefined ? {} : { live: createQueue(sqsClient(), { url, fifo: true, giveBackMs }) }
}

export const jobsOf = ({ TABLE_NAME, RECORD_DAYS: recordDays }: Settled) =>
  createJobStore(documentClient(), TABLE_NAME, { recordDays })

const shardsOf = ({ TABLE_NAME, RECORD_DAYS: recordDays }: Settled) =>
  createShardStore(documentClient(), TABLE_NAME, { recordDays })

/** Sessions with their records are kept as long as the records of jobs. */
export const sessionsOf = ({ TABLE_NAME, RECORD_DAYS }: Settled) =>
  createSessionStore(documentClient(), TABLE_NAME, { keepMs: RECORD_DAYS * DAY })

/** What puts webhooks on their way; `settled` is to be awaited before a function answers. */
export function announcing({ TABLE_NAME, DELIVERIES_QUEUE_URL: url }: Settled, { log }: { log: Log }) {
  const clock = Date.now
  const waker = createWaker({ queue: createQueue(sqsClient(), { url, fifo: true }), clock, log })
  const deliveries = createDeliveryStore(documentClient(), TABLE_NAME)
  return { deliveries, clock, wakeDeliveries: waker.wake, settled: waker.settled }
}

export const outgoingRulesOf = ({ WEBHOOK_ALLOW = '' }: Settled) => ({
  allow: WEBHOOK_ALLOW.split(',').filter((host) => host !== ''),
})

/** The log, which sends the metrics too, and how it is told of an invocation. */
export function logOf({ STAGE: stage, LOG_LEVEL: level }: Settled, worker: Omit<MeterOptions, 'stage'> = {}) {
  const log = createAwsLog({ stage, level })
  return { log: meteredLog(log, { stage, ...worker }), begin: log.begin }
}

export function openStores(
  environment: Settled,
  scratchDir: string,
  worker: Omit<MeterOptions, 'stage'> = {},
) {
  const { BUCKET_NAME, MAX_UPLOAD_BYTES, MAX_DURATION_MS, SHARD_MS } = environment
  const { dollarsPerHour } = worker
  const settings = {
    ...DEFAULT_SETTINGS,
    ...{ maxUploadBytes: MAX_UPLOAD_BYTES, maxDurationMs: MAX_DURATION_MS, shardMs: SHARD_MS },
    ...(dollarsPerHour !== undefined && { dollarsPerHour }),
    ...paceOf(environment),
    // Each beat is a write that is paid for; a cancellation is noticed no sooner.
    heartbeatMs: 5 * SECOND,
  }
  return {
    ...{ settings, clock: Date.now, ...logOf(environment, worker) },
    ...{ jobs: jobsOf(environment), shards: shardsOf(environment) },
    objects: createObjectStore(s3Client(), { bucket: BUCKET_NAME, scratchDir }),
  }
}

/** Only where something is known of the workers' speed. */
function paceOf(environment: Settled): { pace?: Pace } {
  const { PACE_WORK_PER_AUDIO: workPerAudio, PACE_WORKERS: workers, PACE_START_MS: startMs } = environment
  if (workPerAudio === undefined || workers === undefined || startMs === undefined) return {}
  const { PACE_DOLLARS_PER_HOUR: dollarsPerHour } = environment
  return { pace: { workPerAudio, workers, startMs, ...(dollarsPerHour !== undefined && { dollarsPerHour }) } }
}
