import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import type { HttpReply } from '../../lambdas/api/http.ts'
import { LIVE_ROUTES, type LiveRouteName, ROUTES, type RouteName } from '../../lambdas/api/routes.ts'
import { runPump } from '../../lambdas/events/pump.ts'
import type {
  DeliverVariables,
  FunctionVariables,
  SessionVariables,
  WorkerVariables,
} from '../../lib/adapters/aws/environment.ts'
import { createTokenStore } from '../../lib/adapters/aws/token-store.ts'
import { createLog } from '../../lib/adapters/log.ts'
import { issueToken } from '../../lib/adapters/tokens.ts'
import { ensureEngine } from '../../lib/adapters/whisper/build.ts'
import { resolveModel } from '../../lib/adapters/whisper/models.ts'
import type { Queue } from '../../lib/core/ports.ts'
import { type HttpRequest, httpEvent } from '../lambdas/samples.ts'
import { temporaryBucket, temporaryQueue, temporaryTable } from './support.ts'

// Both lanes as they are deployed: table, bucket and queues at the endpoint, the functions of lambdas/aws in processes
// of their own, and here what Lambda's event sources do.

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Longer than any Lambda lives. */
const FOREVER_MS = 3_600_000

/** What a stage would know of its workers' speed. */
const PACE = {
  ...{ PACE_WORK_PER_AUDIO: '0.1', PACE_WORKERS: '4', PACE_START_MS: '1000' },
  PACE_DOLLARS_PER_HOUR: '0.6',
}

/** Short: a store may hand a message to a poll that was given up, and hides it for so long. */
const VISIBILITY_MS = 10_000

/** Where captions would be streamed, with Lambda in front of the function. */
export const EVENTS_URL = 'https://captions.lambda-url.example.com/'

type Invoke = <T>(name: string, event: unknown, remainingMs?: number) => Promise<T>

/** Starts a process that runs functions; see functions.ts. */
async function startFunctions(names: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [path('functions.ts'), ...names], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  running.add(child)
  const waiting = new Map<number, { resolve(reply: never): void; reject(error: Error): void }>()
  const lines = createInterface({ input: child.stdout })
  await new Promise((resolve, reject) => {
    lines.once('line', resolve)
    child.once('exit', (code) => reject(new Error(`the functions ended at their start (${code})`)))
  })
  /** What CloudWatch Logs would make metrics of. */
  const metrics: unknown[] = []
  lines.on('line', (line) => {
    const { id, reply, error, _aws } = JSON.parse(line)
    if (_aws !== undefined) return void metrics.push(JSON.parse(line))
    const { resolve, reject } = waiting.get(id)!
    error === undefined ? resolve(reply as never) : reject(new Error(error))
  })
  let calls = 0
  const invoke: Invoke = (name, event, remainingMs = FOREVER_MS) =>
    new Promise((resolve, reject) => {
      const id = ++calls
      waiting.set(id, { resolve, reject })
      child.stdin.write(`${JSON.stringify({ id, name, event, remainingMs })}\n`)
    })
  return { invoke, metrics, stop: () => end(child, () => child.stdin.end()) }
}

/** What a test that failed has left. */
const running = new Set<ChildProcess>()

async function end(child: ChildProcess, ask: () => void): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  ask()
  return ended
}

export interface DeployOptions {
  /** As with both kinds of worker; the ECS worker then has queues of its own, `longWork` and `longShards`. */
  readonly longFromMs?: number
  /** Left out: so long that no recording of the tests is cut into shards. */
  readonly shardMs?: number
  /** Of shards: deliveries before one is dead. */
  readonly shardReceives?: number
  /** Where finals are posted to. */
  readonly engineApiUrl?: string
  /** Of the secrets in the Parameter Store. */
  readonly parameters?: string
}

const ALL_ROUTES = { ...ROUTES, ...LIVE_ROUTES }
/** The file in lambdas/aws. */
const entryOf = (route: string) => route.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
const OTHERS = ['on-upload', 'dead-letter', 'live-dead-letter', 'tick', 'deliver']

export async function deploy(options: DeployOptions = {}) {
  const { longFromMs, engineApiUrl, parameters = '/none/', shardMs = 600_000, shardReceives = 5 } = options
  const uploads = await temporaryQueue(20)
  const work = await temporaryQueue(20)
  const shards = await temporaryQueue(shardReceives)
  const longWork = longFromMs === undefined ? undefined : await temporaryQueue(20)
  const longShards = longWork && (await temporaryQueue(shardReceives))
  const live = await temporaryQueue(20, { fifo: true })
  const deliveries = await temporaryQueue(20, { fifo: true })
  const table = await temporaryTable()
  const bucket = await temporaryBucket(uploads.arn)
  const model = await resolveModel('mini')
  const engine = await ensureEngine()
  const variables: FunctionVariables = {
    ...{ STAGE: 'test', TABLE_NAME: table.table, BUCKET_NAME: bucket.bucket, WORK_QUEUE_URL: work.url },
    ...{ MODEL: model.name, MAX_UPLOAD_BYTES: String(1024 ** 3), MAX_DURATION_MS: String(3_600_000) },
    ...{ RECORD_DAYS: '1', LOG_LEVEL: 'error', LIVE_QUEUE_URL: live.url, LIVE_IDLE_MS: '1000' },
    ...{ DELIVERIES_QUEUE_URL: deliveries.url, SHARDS_QUEUE_URL: shards.url, SHARD_MS: String(shardMs) },
    ...PACE,
    ...(engineApiUrl !== undefined && { ENGINE_API_URL: engineApiUrl }),
  }
  const workerVariables: WorkerVariables = {
    ...{ ...variables, ENGINE_PATH: engine.serverPath, ENGINE_VERSION: engine.version },
    ...{ MODEL_PATH: model.path, THREADS: '2', SCRATCH_DIR: bucket.scratchDir },
    ...{ COMPUTE: 'cpu', DOLLARS_PER_HOUR: '0.6' },
  }
  const routing = longWork && {
    ...{ LONG_WORK_QUEUE_URL: longWork.url, LONG_FROM_MS: String(longFromMs) },
    LONG_FROM_BYTES: String(1024 ** 3),
  }
  const only: SessionVariables & DeliverVariables = { EVENTS_URL, PARAMETERS: parameters }
  const names = [...Object.keys(ALL_ROUTES).map(entryOf), ...OTHERS]
  const functions = await startFunctions(names, { ...variables, ...routing, ...only })
  const tokens = createTokenStore(table.db, table.table)
  const { token } = await issueToken({ tokens, clock: Date.now }, 'acme', 'test')
  const stop = new AbortController()
  const source = (name: string, queue: Queue) => {
    const handler = (event: SQSEvent) => functions.invoke<SQSBatchResponse | null>(name, event)
    const log = createLog({ level: 'error' })
    return runPump({
      ...{ name, queue, log, stop: stop.signal },
      // A function that answers with nothing has done all.
      handler: async (event) => (await handler(event)) ?? { batchItemFailures: [] },
      lanes: 1,
      visibilityMs: VISIBILITY_MS,
    })
  }
  const pumps = [source('on-upload', uploads.queue), source('deliver', deliveries.queue)]

  /** A container Lambda on a queue. */
  async function startSources(
    name: 'work' | 'live',
    queues: ReadonlyArray<{ url: string; queue: Queue }>,
    remainingMs: (invocation: number) => number,
  ) {
    const worker = await startFunctions([name], { ...workerVariables, ...routing })
    const replies: SQSBatchResponse[] = []
    let invocations = 0
    const stopped = new AbortController()
    const pumps = queues.map(({ url, queue }) =>
      runPump({
        // The function knows its queues by the ends of their ARNs.
        ...{ name: url.split('/').at(-1)!, queue, lanes: 1, visibilityMs: VISIBILITY_MS },
        ...{ stop: stopped.signal, log: createLog({ level: 'error' }) },
        handler: async (event) => {
          const reply = await worker.invoke<SQSBatchResponse>(name, event, remainingMs(++invocations))
          replies.push(reply)
          return reply
        },
      }),
    )
    return {
      metrics: worker.metrics,
      replies,
      stop: async () => {
        stopped.abort()
        await Promise.all(pumps)
        await worker.stop()
      },
    }
  }

  return {
    ...{ table, bucket, uploads, work, shards, longWork, longShards, workerVariables },
    /** Calls the API as API Gateway does. */
    async call(route: Exclude<RouteName | LiveRouteName, 'events'>, request: HttpRequest = {}) {
      const { method, path: pattern } = ALL_ROUTES[route]
      const headers = { authorization: `Bearer ${token}`, ...request.headers }
      const event = httpEvent(`${method} ${pattern}`, { ...request, headers })
      const { statusCode, body } = await functions.invoke<HttpReply>(entryOf(route), event)
      return { status: statusCode, body: body === undefined ? undefined : JSON.parse(body) }
    },
    /** Follows a session by the function's address, until Lambda's time is up. */
    async follow(sessionId: string, remainingMs: number, headers: Record<string, string> = {}) {
      const { method, path: pattern } = LIVE_ROUTES.events
      const { pathParameters: _, ...event } = httpEvent(`${method} ${pattern}`, {
        ...{ sessionId, headers: { authorization: `Bearer ${token}`, ...headers } },
      })
      return functions.invoke<HttpReply>('events', { ...event, routeKey: '$default' }, remainingMs)
    },
    /** What the schedule does every minute. */
    tick: () => functions.invoke<number>('tick', { source: 'aws.events' }),
    deadLetter: (event: SQSEvent) => functions.invoke<SQSBatchResponse>('dead-letter', event),
    /** A container Lambda on `work` and `shards`; the first invocation has `remainingMs(1)` to live, and so on. */
    async startWorker(remainingMs = (_invocation: number) => FOREVER_MS) {
      return startSources('work', [work, shards], remainingMs)
    },
    /** The same on one of the two. */
    startWorkerOn: (queue: 'work' | 'shards', remainingMs = (_invocation: number) => FOREVER_MS) =>
      startSources('work', [queue === 'work' ? work : shards], remainingMs),
    /** The container Lambda of the live lane. */
    startLiveWorker: () => startSources('live', [live], () => FOREVER_MS),
    /** The program of the ECS service. `stop` sends SIGTERM and gives its exit code. */
    startPoller(more: Record<string, string> = {}) {
      const own = {
        WORK_QUEUE_URL: (longWork ?? work).url,
        SHARDS_QUEUE_URL: (longShards ?? shards).url,
      }
      // Short, as the mini model would bring every recording of the tests to its end in ten seconds.
      const env = { ...process.env, ...workerVariables, ...own, DRAIN_MS: '500', ...more }
      const child = spawn(process.execPath, [path('../../lambdas/aws/poller.ts')], { env, stdio: 'inherit' })
      running.add(child)
      return { stop: () => end(child, () => child.kill('SIGTERM')) }
    },
    async dispose() {
      stop.abort()
      await Promise.all(pumps)
      for (const child of running) child.kill('SIGKILL')
      const queues = [uploads, work, shards, longWork, longShards, live, deliveries]
      for (const it of [bucket, table, ...queues]) await it?.dispose()
    },
  }
}

export type Deployment = Awaited<ReturnType<typeof deploy>>
