import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runPump } from '../lambdas/events/pump.ts'
import { createDecoder } from '../lib/adapters/audio/decoder.ts'
import { findFfmpeg } from '../lib/adapters/audio/ffmpeg.ts'
import { sweepScratch } from '../lib/adapters/audio/spool.ts'
import { env } from '../lib/adapters/env.ts'
import { openDatabase } from '../lib/adapters/local/database.ts'
import { lockFolder } from '../lib/adapters/local/lock.ts'
import { createLog } from '../lib/adapters/log.ts'
import { issueToken } from '../lib/adapters/tokens.ts'
import { ensureEngine } from '../lib/adapters/whisper/build.ts'
import { type ModelRef, resolveModel } from '../lib/adapters/whisper/models.ts'
import { createEngine } from '../lib/adapters/whisper/pool.ts'
import { VerbatimError } from '../lib/core/errors.ts'
import type { Log, TokenStore } from '../lib/core/ports.ts'
import { type Composition, compose } from './compose.ts'
import { type EngineCount, enginesHere, tellEngines } from './engines.ts'
import { createHttpServer, requestOrigin } from './http-server.ts'
import type { ServiceOptions, SizedOptions } from './options.ts'
import { runTick } from './tick.ts'

export interface Service {
  readonly url: string
  /** Only at the first start: it is stored hashed, and in the data folder's file `token` for this user's CLI. */
  readonly token?: string
  /** Process ids of the running engines. */
  enginePids(): number[]
  stop(): Promise<void>
}

export interface StartContext {
  readonly signal?: AbortSignal
  /** What takes long at a first start, for people. */
  onProgress?(line: string): void
}

/** Longer than any pause between two heartbeats of a pump. */
const VISIBILITY_MS = 60_000

/**
 * Starts the whole service in this process. Whatever an earlier process of this data folder left undone, however it
 * ended, goes on. Fails with `storage-unavailable` (folder in use), `engine-missing`, `model-missing`, …
 */
export async function startService(options: ServiceOptions, context: StartContext = {}): Promise<Service> {
  const lock = lockFolder(options.data)
  const closing: Array<() => void | Promise<void>> = [() => lock.release()]
  const close = async () => {
    for (const step of closing.reverse()) await step()
  }
  try {
    return await start(options, context, closing, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function start(
  asked: ServiceOptions,
  context: StartContext,
  closing: Array<() => void | Promise<void>>,
  close: () => Promise<void>,
): Promise<Service> {
  const log = createLog({ level: asked.logLevel })
  const db = openDatabase(asked.data)
  closing.push(() => db.close())
  const scratchDir = join(asked.data, 'scratch')
  await mkdir(scratchDir, { recursive: true })
  await sweepScratch(scratchDir)

  const model = await resolveModel(asked.model)
  const count = await enginesHere(model.path, asked)
  const options = sized(asked, count)
  const engine = await prepareEngine(options, model, context, log)
  closing.push(() => engine.close())
  // Now and not with the first job: a model that does not load should be noticed by who starts the service.
  context.onProgress?.(`loading the model ${options.model} into ${tellEngines(count)}`)
  await engine.start()
  const decoder = createDecoder({
    ffmpeg: await findFfmpeg({ override: env().VERBATIM_FFMPEG, searchPath: env().PATH }),
    scratchDir,
  })

  let fallbackUrl = options.publicUrl ?? ''
  const drain = new AbortController()
  const services = await compose({
    ...{ options, db, engine, decoder, log, drain: drain.signal, worker: randomUUID() },
    baseUrl: () => options.publicUrl ?? requestOrigin.getStore() ?? fallbackUrl,
  })
  closing.push(services.close)
  const token = await firstToken(services.tokens, options.data)

  const streams = new AbortController()
  const server = createHttpServer({ ...services, log, stop: streams.signal })
  closing.push(() => {
    streams.abort()
    return endServer(server)
  })
  fallbackUrl ||= await listen(server, options)
  const stopPumps = startPumps(services, options, log, drain)
  closing.push(stopPumps)

  const url = urlOf(server, options)
  log.info('service started', { pid: process.pid })
  return { url, ...(token && { token }), enginePids: () => engine.pids(), stop: close }
}

/** One more job than there are engines: the next recording is decoded while the engines are busy. */
const sized = (asked: ServiceOptions, { engines, threads }: EngineCount): SizedOptions => ({
  ...{ ...asked, engines, threads },
  jobs: asked.jobs ?? engines + 1,
})

async function prepareEngine(
  options: SizedOptions,
  model: ModelRef,
  { signal, onProgress }: StartContext,
  log: Log,
) {
  const built = await ensureEngine({
    ...(onProgress && { onProgress: (line) => onProgress(`engine: ${line}`) }),
    ...(signal && { signal }),
  })
  const { threads, engines: processes } = options
  return createEngine({ ...built, modelPath: model.path, modelName: model.name, threads, processes, log })
}

/** The first start makes a token, so that there is something to begin with. */
async function firstToken(tokens: TokenStore, data: string): Promise<string | undefined> {
  if ((await tokens.list()).length > 0) return undefined
  const { token } = await issueToken({ tokens, clock: Date.now }, 'default', 'first start')
  await writeFile(join(data, 'token'), `${token}\n`, { mode: 0o600 })
  return token
}

/** Runs the queues until the returned function is called: no new work then, and what runs gets `drainMs`. */
function startPumps(
  { queues, ticks }: Composition,
  { drainMs }: ServiceOptions,
  log: Log,
  drain: AbortController,
): () => Promise<void> {
  const stop = new AbortController()
  const pumps = Promise.all([
    ...queues.map((queue) => runPump({ ...queue, visibilityMs: VISIBILITY_MS, log, stop: stop.signal })),
    ...ticks.map((tick) => runTick(tick, { log, stop: stop.signal })),
  ])
  return async () => {
    stop.abort()
    await Promise.race([pumps, sleep(drainMs, undefined, { ref: false })])
    drain.abort()
    await pumps
  }
}

async function listen(server: Server, { host, port }: ServiceOptions): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, port)))
    server.listen(port, host, resolve)
  })
  return urlOf(server, { host })
}

function cannotListen({ code = '' }: NodeJS.ErrnoException, port: number): VerbatimError {
  const message =
    code === 'EADDRINUSE' ? `Port ${port} is in use.` : `Port ${port} can't be listened on (${code}).`
  return new VerbatimError('unavailable', message, {
    hint: 'Stop what uses it, or choose others with --port and --host.',
  })
}

function urlOf(server: Server, { host }: { host: string }): string {
  const { port } = server.address() as AddressInfo
  const anywhere = host === '0.0.0.0' || host === '::'
  const name = anywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/** Requests in flight are answered; idle connections are closed. */
async function endServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), 5000)
  await closed
  clearTimeout(timer)
}
