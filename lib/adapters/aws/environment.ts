import * as z from 'zod'
import { COMPUTES } from './metric-names.ts'

// What the functions and workers in AWS are told through their environment. The constructs that set it and the code
// that reads it share these schemas, so a variable that was forgotten does not compile.

/** Not z.coerce, whose input may be anything: a variable that was forgotten would compile. */
const count = z.string().transform(Number).pipe(z.int().positive())

/** Every function of the batch lane. */
export const FunctionEnvironment = z.object({
  STAGE: z.string(),
  TABLE_NAME: z.string(),
  BUCKET_NAME: z.string(),
  /** Queue `work`: jobs to be transcribed. */
  WORK_QUEUE_URL: z.url(),
  /** Queue `longWork`, and what belongs there: all three, or none where one kind of worker does everything. */
  LONG_WORK_QUEUE_URL: z.url().optional(),
  LONG_FROM_MS: count.optional(),
  LONG_FROM_BYTES: count.optional(),
  /** Name of the model that the workers run; only for people (GET /health). */
  MODEL: z.string(),
  /** How long the record of a job is kept that has ended without a transcript. */
  RECORD_DAYS: count,
  MAX_UPLOAD_BYTES: count,
  MAX_DURATION_MS: count,
  LOG_LEVEL: z.enum(['info', 'warn', 'error', 'silent']).default('info'),
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
  /** What an hour of one job's work costs, in US dollars; for metrics. Left out: not known. */
  DOLLARS_PER_HOUR: z.coerce.number().positive().optional(),
  /** Where recordings and decoded sound lie while they are worked on. */
  SCRATCH_DIR: z.string().default('/tmp'),
})

/** Besides, the program of the ECS service. */
export const PollerEnvironment = z.object({
  /** How long running jobs may go on after SIGTERM; giving them back takes some seconds more. */
  DRAIN_MS: count.default(10_000),
  /** Set by the ECS agent: where a task reaches it. */
  ECS_AGENT_URI: z.url().optional(),
})

/** As a construct sets it: every value a string; what has a default may be left out. */
export type Variables<S extends z.ZodObject> = {
  [Name in keyof z.input<S> as undefined extends z.input<S>[Name] ? never : Name]: string
} & { [Name in keyof z.input<S> as undefined extends z.input<S>[Name] ? Name : never]?: string }

export type FunctionVariables = Variables<typeof FunctionEnvironment>
export type WorkerVariables = Variables<typeof WorkerEnvironment>
export type PollerVariables = Variables<typeof PollerEnvironment>
