import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ulid } from 'ulid'
import { healthHandler, openapiHandler } from '../lambdas/api/about.ts'
import { cancelHandler, eraseHandler, listHandler, statusHandler } from '../lambdas/api/jobs.ts'
import { completeHandler, uploadHandler } from '../lambdas/api/upload.ts'
import { deadLetterHandler } from '../lambdas/events/dead-letter.ts'
import { onUploadHandler } from '../lambdas/events/on-upload.ts'
import type { SqsHandler } from '../lambdas/events/sqs.ts'
import { workHandler } from '../lambdas/events/work.ts'
import { soundPacker } from '../lib/adapters/audio/pack.ts'
import type { Database } from '../lib/adapters/local/database.ts'
import { createJobStore } from '../lib/adapters/local/job-store.ts'
import { createObjectHttp } from '../lib/adapters/local/object-http.ts'
import { createObjectStore } from '../lib/adapters/local/object-store.ts'
import { createPresigner } from '../lib/adapters/local/presign.ts'
import { createQueue } from '../lib/adapters/local/queue.ts'
import { loadSecret } from '../lib/adapters/local/secret.ts'
import { createShardStore } from '../lib/adapters/local/shard-store.ts'
import { createTokenStore } from '../lib/adapters/local/token-store.ts'
import type { WhisperEngine } from '../lib/adapters/whisper/pool.ts'
import type { Decoder, Log, Queue, TokenStore } from '../lib/core/ports.ts'
import { DEFAULT_SETTINGS } from '../lib/core/settings.ts'
import { composeLive } from './compose-live.ts'
import type { Handlers } from './http-server.ts'
import type { SizedOptions } from './options.ts'
import { createPace } from './pace.ts'
import type { Tick } from './tick.ts'

export interface Parts {
  readonly options: SizedOptions
  readonly db: Database
  readonly engine: WhisperEngine
  readonly decoder: Decoder
  readonly log: Log
  /** Names this run of the service: leases of any other are dead. */
  readonly worker: string
  readonly drain: AbortSignal
  readonly baseUrl: () => string
}

export interface Composition {
  readonly tokens: TokenStore
  readonly handlers: Handlers
  readonly objects: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  readonly queues: ReadonlyArray<{ name: string; queue: Queue; handler: SqsHandler; lanes: number }>
  readonly ticks: readonly Tick[]
  /** For the end of the service, when all else has stopped. */
  close(): void
}

/** Wires the handlers to the local adapters: what bin/app.ts is for AWS, for one machine. */
export async function compose(parts: Parts): Promise<Composition> {
  const { options, db, engine, decoder, log, worker, drain } = parts
  const clock = Date.now
  const uploads = createQueue(db, 'uploads', { maxReceives: 20, deadLetterQueue: 'dead' })
  const work = createQueue(db, 'work', { maxReceives: 20, deadLetterQueue: 'dead' })
  // A shard that kills its worker is not tried as often as a recording is, whose worker may be stopped many times.
  const shardWork = createQueue(db, 'shards', { maxReceives: 5, deadLetterQueue: 'dead' })
  const dead = createQueue(db, 'dead', { maxReceives: 1000 })
  // The folder's lock is ours, so whoever held these claims is gone.
  for (const queue of [uploads, work, shardWork, dead]) await queue.releaseAll()

  const presigner = createPresigner(loadSecret(options.data), parts.baseUrl)
  const objects = createObjectStore(db, {
    dataDir: options.data,
    presigner,
    events: { prefix: 'uploads/', queue: 'uploads' },
  })
  await objects.sweep()
  const tokens = createTokenStore(db)
  const jobs = createJobStore(db)
  const shards = createShardStore(db)
  const { maxUploadBytes, maxDurationMs, shardMs } = options
  const settings = { ...DEFAULT_SETTINGS, maxUploadBytes, maxDurationMs, shardMs }
  const about = { version: packageVersion(), model: engine.info.model }
  const ownerIsDead = (owner: string) => !owner.startsWith(`${worker}/`)
  const base = { tokens, jobs, shards, objects, log, clock, settings, newJobId: ulid }
  const live = await composeLive({ options, db, engine: engine.urgent, decoder, drain }, base)
  const ports = {
    ...{ ...base, ...live.batch, work, shardWork, engine, decoder, about, ownerIsDead },
    packer: soundPacker,
    pace: createPace(db, {
      ...{ data: options.data, workers: options.engines, clock },
      speedOf: { ...engine.info, threads: options.threads },
    }),
  }
  return {
    tokens,
    handlers: {
      upload: uploadHandler(ports),
      complete: completeHandler(ports),
      status: statusHandler(ports),
      list: listHandler(ports),
      cancel: cancelHandler(ports),
      erase: eraseHandler(ports),
      health: healthHandler(ports),
      openapi: openapiHandler(ports),
      ...live.handlers,
    },
    objects: createObjectHttp({ store: objects, presigner, log }),
    queues: [
      { name: 'uploads', queue: uploads, handler: onUploadHandler(ports), lanes: 4 },
      { name: 'work', queue: work, handler: workHandler(ports, { worker, drain }), lanes: options.jobs },
      // One more than there are engines: its sound is fetched while they are busy.
      {
        ...{ name: 'shards', queue: shardWork, handler: workHandler(ports, { worker, drain }) },
        lanes: options.engines + 1,
      },
      { name: 'dead', queue: dead, handler: deadLetterHandler(ports), lanes: 1 },
      ...live.queues,
    ],
    ticks: live.ticks,
    close: live.close,
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version: unknown }).version)
}
