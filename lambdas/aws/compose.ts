import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ulid } from 'ulid'
import { createDecoder } from '../../lib/adapters/audio/decoder.ts'
import { findFfmpeg } from '../../lib/adapters/audio/ffmpeg.ts'
import { documentClient, s3Client, sqsClient } from '../../lib/adapters/aws/clients.ts'
import { FunctionEnvironment, WorkerEnvironment } from '../../lib/adapters/aws/environment.ts'
import { createJobStore } from '../../lib/adapters/aws/job-store.ts'
import { createObjectStore } from '../../lib/adapters/aws/object-store.ts'
import { createQueue } from '../../lib/adapters/aws/queue.ts'
import { createTokenStore } from '../../lib/adapters/aws/token-store.ts'
import { env, readEnvironment } from '../../lib/adapters/env.ts'
import { createLog } from '../../lib/adapters/log.ts'
import { createEngine } from '../../lib/adapters/whisper/pool.ts'
import { DEFAULT_SETTINGS } from '../../lib/core/settings.ts'
import packageJson from '../../package.json' with { type: 'json' }

// Wires the handlers to the AWS adapters: what local/compose.ts is for one machine. Each function is called once per
// process, by an entry file; what an entry does not call, esbuild leaves out of its bundle.

const SECOND = 1000

/** GET /health and GET /openapi.json touch nothing. */
export function composeAbout() {
  const { MODEL, LOG_LEVEL } = readEnvironment(FunctionEnvironment)
  return { log: createLog({ level: LOG_LEVEL }), about: { version: packageJson.version, model: MODEL } }
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
  const ports = stores(environment, join(scratchDir, 'objects'))
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
    ports: { ...ports, engine, decoder },
    ...{ work, log, engines: environment.ENGINES, worker: randomUUID(), close: () => engine.close() },
  }
}

type Settled = ReturnType<typeof readEnvironment<typeof FunctionEnvironment>>

function stores(environment: Settled, scratchDir: string) {
  const { TABLE_NAME, BUCKET_NAME, MAX_UPLOAD_BYTES, MAX_DURATION_MS, LOG_LEVEL } = environment
  const settings = {
    ...DEFAULT_SETTINGS,
    ...{ maxUploadBytes: MAX_UPLOAD_BYTES, maxDurationMs: MAX_DURATION_MS },
    // Each beat is a write that is paid for; a cancellation is noticed no sooner.
    heartbeatMs: 5 * SECOND,
  }
  return {
    ...{ settings, clock: Date.now, log: createLog({ level: LOG_LEVEL }) },
    jobs: createJobStore(documentClient(), TABLE_NAME),
    objects: createObjectStore(s3Client(), { bucket: BUCKET_NAME, scratchDir }),
  }
}
