import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ulid } from 'ulid'
import { createDecoder } from '../../lib/adapters/audio/decoder.ts'
import { findFfmpeg } from '../../lib/adapters/audio/ffmpeg.ts'
import { documentClient, s3Client, sqsClient } from '../../lib/adapters/aws/clients.ts'
import { FunctionEnvironment, WorkerEnvironment } from '../../lib/adapters/aws/environment.ts'
import { createJobStore } from '../../lib/adapters/aws/job-store.ts'
import { createAwsLog } from '../../lib/adapters/aws/logger.ts'
import { type MeterOptions, meteredLog } from '../../lib/adapters/aws/metrics.ts'
import { createObjectStore } from '../../lib/adapters/aws/object-store.ts'
import { createQueue } from '../../lib/adapters/aws/queue.ts'
import { createTokenStore } from '../../lib/adapters/aws/token-store.ts'
import { env, readEnvironment } from '../../lib/adapters/env.ts'
import { createEngine } from '../../lib/adapters/whisper/pool.ts'
import { DEFAULT_SETTINGS } from '../../lib/core/settings.ts'
import packageJson from '../../package.json' with { type: 'json' }

// Wires the handlers to the AWS adapters: what local/compose.ts is for one machine. Each function is called once per
// process, by an entry file; what an entry does not call, esbuild leaves out of its bundle.

const SECOND = 1000

/** GET /health and GET /openapi.json touch nothing. */
export function composeAbout() {
  const environment = readEnvironment(FunctionEnvironment)
  return { ...logOf(environment), about: { version: packageJson.version, model: environment.MODEL } }
}

/** What the handlers of the API need. */
export function composeApi() {
  const environment = readEnvironment(FunctionEnvironment)
  const tokens = createTokenStore(documentClient(), environment.TABLE_NAME)
  return { ...stores(environment, '/tmp'), tokens, newJobId: ulid }
}

/** What the handlers of events need: recordings have arrived, messages have died. */
export function composeEvents() {
  const environment = readEnvironment(FunctionEnvironment)
  return {
    ...stores(environment, '/tmp'),
    work: createQueue(sqsClient(), { url: environment.WORK_QUEUE_URL }),
    ...longWorkOf(environment),
  }
}

/**
 * A worker: one engine per process, started by the first window that is to be heard and kept from then on. `close` is
 * for a program that ends by itself.
 */
export async function composeWorker() {
  const environment = readEnvironment(WorkerEnvironment)
  const scratchDir = join(environment.SCRATCH_DIR, 'verbatim')
  // Whatever is there, a process has left that was here before and died.
  await rm(scratchDir, { recursive: true, force: true })
  const { COMPUTE: compute, DOLLARS_PER_HOUR: dollarsPerHour } = environment
  const ports = stores(environment, join(scratchDir, 'objects'), { compute, dollarsPerHour })
  const { log } = ports
  const engine = createEngine({
    ...{ serverPath: environment.ENGINE_PATH, version: environment.ENGINE_VERSION, log },
    ...{ modelPath: environment.MODEL_PATH, modelName: environment.MODEL },
    ...{ threads: environment.THREADS, processes: environment.ENGINES },
  })
  const ffmpeg = await findFfmpeg({ override: env().VERBATIM_FFMPEG, searchPath: env().PATH })
  const decoder = createDecoder({ ffmpeg, scratchDir: join(scratchDir, 'sound') })
  const work = createQueue(sqsClient(), { url: environment.WORK_QUEUE_URL, giveBackMs: 30 * SECOND })
  return {
    ports: { ...ports, engine, decoder, ...longWorkOf(environment) },
    ...{ work, log, engines: environment.ENGINES, worker: randomUUID(), close: () => engine.close() },
  }
}

type Settled = ReturnType<typeof readEnvironment<typeof FunctionEnvironment>>

/** Only where both kinds of worker are, and not for those of the long recordings themselves. */
function longWorkOf({ LONG_WORK_QUEUE_URL: url, LONG_FROM_MS, LONG_FROM_BYTES }: Settled) {
  if (url === undefined || LONG_FROM_MS === undefined || LONG_FROM_BYTES === undefined) return {}
  const queue = createQueue(sqsClient(), { url })
  return { longWork: { queue, fromMs: LONG_FROM_MS, fromBytes: LONG_FROM_BYTES } }
}

/** The log, which sends the metrics too, and how it is told of an invocation. */
function logOf({ STAGE: stage, LOG_LEVEL: level }: Settled, worker: Omit<MeterOptions, 'stage'> = {}) {
  const log = createAwsLog({ stage, level })
  return { log: meteredLog(log, { stage, ...worker }), begin: log.begin }
}

function stores(environment: Settled, scratchDir: string, worker: Omit<MeterOptions, 'stage'> = {}) {
  const { TABLE_NAME, BUCKET_NAME, MAX_UPLOAD_BYTES, MAX_DURATION_MS } = environment
  const { RECORD_DAYS: recordDays } = environment
  const settings = {
    ...DEFAULT_SETTINGS,
    ...{ maxUploadBytes: MAX_UPLOAD_BYTES, maxDurationMs: MAX_DURATION_MS },
    // Each beat is a write that is paid for; a cancellation is noticed no sooner.
    heartbeatMs: 5 * SECOND,
  }
  return {
    ...{ settings, clock: Date.now, ...logOf(environment, worker) },
    jobs: createJobStore(documentClient(), TABLE_NAME, { recordDays }),
    objects: createObjectStore(s3Client(), { bucket: BUCKET_NAME, scratchDir }),
  }
}
