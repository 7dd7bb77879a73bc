import * as z from 'zod'
import { COMPUTES } from './metric-names.ts'

// What the functions and workers in AWS are told through their environment. The constructs that set it and the code
// that reads it share these schemas, so a variable that was forgotten does not compile.

/** Not z.coerce, whose input may be anything: a variable that was forgotten would compile. */
const count = z.string().transform(Number).pipe(z.int().positive())
const amount = z.string().transform(Number).pipe(z.number().positive())

/** Every function of both lanes. */
export const FunctionEnvironment = z.object({
  STAGE: z.string(),
  TABLE_NAME: z.string(),
  BUCKET_NAME: z.string(),
  /** Queue `work`: jobs to be transcribed. */
  WORK_QUEUE_URL: z.url(),
  /** Queue `shards`: pieces of those jobs that were cut. */
  SHARDS_QUEUE_URL: z.url(),
  /** How much speech a shard has, about. */
  SHARD_MS: count,
  /** What is known of the workers' speed, for estimates (lib/core/settings.ts): the first three, or none. */
  PACE_WORK_PER_AUDIO: amount.optional(),
  PACE_WORKERS: count.optional(),
  PACE_START_MS: count.optional(),
  PACE_DOLLARS_PER_HOUR: amount.optional(),
  /** Queue `longWork`, and what belongs there: all three, or none where one kind of worker does everything. */
  LONG_WORK_QUEUE_URL: z.url().optional(),
  LONG_FROM_MS: count.optional(),
  LONG_FROM_BYTES: count.optional(),
  /** FIFO queue `live`: sessions that have something new. Left out where the stage has no live lane. */
  LIVE_QUEUE_URL: z.url().optional(),
  /** A session whose client has sent nothing for so long is closed; with the queue, or not at all. */
  LIVE_IDLE_MS: count.optional(),
  /** FIFO queue `deliveries`: there is a webhook to be sent. */
  DELIVERIES_QUEUE_URL: z.url(),
  /** Finals of all sessions are posted to `<url>/<session id>`. */
  ENGINE_API_URL: z.url().optional(),
  /** Hosts, with commas between, that webhooks which clients ask for may reach although they are private. */
  WEBHOOK_ALLOW: z.string().optional(),
  /** Name of the model that the workers run; only for people (GET /health). */
  MODEL: z.string(),
  /** How long the record of a job is kept that has ended without a transcript. */
  RECORD_DAYS: count,
  MAX_UPLOAD_BYTES: count,
  MAX_DURATION_MS: count,
  LOG_LEVEL: z.enum(['info', 'warn', 'error', 'silent']).default('info'),
})

/** Besides, functions that tell where the captions of a session can be followed. */
export const SessionEnvironment = z.object({
  /** Of the function that streams them; the path goes after it. */
  EVENTS_URL: z.url().optional(),
})

/** What lies below `PARAMETERS`: the bearer of ENGINE_API_URL, and `whsec_…` with which webhooks are signed. */
export const SECRETS = ['engine-api-token', 'webhook-secret'] as const

/** Besides, the function that sends webhooks. */
export const DeliverEnvironment = z.object({
  /** Where its secrets lie in the Parameter Store: a path that ends in a slash. */
  PARAMETERS: z.string(),
})

/** Besides, workers of the live lane, where there is a Redis: all three or none. */
export const CacheEnvironment = z.object({
  CACHE_HOST: z.string().optional(),
  /** Name of the ElastiCache, and of the user in it that the worker's role may be. */
  CACHE_NAME: z.string().optional(),
  CACHE_USER: z.string().optional(),
})

/** A worker: the container Lambda, or a task of the ECS service. */
export const WorkerEnvironment = z.object({
  ...FunctionEnvironment.shape,
  /** whisper-server, its version, and the model in the image. */
  ENGINE_PATH: z.string(),
  ENGINE_VERSION: z.string(),
  MODEL_PATH: z.string(),
  THREADS: count,
  ENGINES: count.default(1),
  /** What it is, in metrics. */
  COMPUTE: z.enum(COMPUTES),
  /** What an hour of one job's work costs, in US dollars; for metrics and bills. Left out: not known. */
  DOLLARS_PER_HOUR: amount.optional(),
  /** Where recordings and decoded sound lie while they are worked on. */
  SCRATCH_DIR: z.string().default('/tmp'),
})

/** Besides, the program of the ECS service. */
export const PollerEnvironment = z.object({
  /** How long running jobs may go on after SIGTERM; giving them back takes some seconds more. */
  DRAIN_MS: count.default(10_000),
  /** Set by the ECS agent: where a task reaches it. */
  ECS_AGENT_URI: z.url().optional(),
  /** What the worker takes: recordings and their shards, or what is said in sessions, or both. */
  TAKES: z.enum(['work', 'live', 'both']).default('work'),
  /** Sessions that it works on side by side. */
  SESSIONS: count.default(4),
})

/** As a construct sets it: every value a string; what has a default may be left out. */
export type Variables<S extends z.ZodObject> = {
  [Name in keyof z.input<S> as undefined extends z.input<S>[Name] ? never : Name]: string
} & { [Name in keyof z.input<S> as undefined extends z.input<S>[Name] ? Name : never]?: string }

export type FunctionVariables = Variables<typeof FunctionEnvironment>
export type WorkerVariables = Variables<typeof WorkerEnvironment>
export type PollerVariables = Variables<typeof PollerEnvironment>
export type SessionVariables = Variables<typeof SessionEnvironment>
export type DeliverVariables = Variables<typeof DeliverEnvironment>
export type CacheVariables = Variables<typeof CacheEnvironment>
