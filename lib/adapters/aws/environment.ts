import * as z from 'zod'

// What the functions and workers in AWS are told through their environment. The constructs that set it and the code
// that reads it share these schemas, so a variable that was forgotten does not compile.

const count = z.coerce.number().int().positive()

/** Every function of the batch lane. */
export const FunctionEnvironment = z.object({
  STAGE: z.string(),
  TABLE_NAME: z.string(),
  BUCKET_NAME: z.string(),
  /** Queue `work`: jobs to be transcribed. */
  WORK_QUEUE_URL: z.url(),
  /** Name of the model that the workers run; only for people (GET /health). */
  MODEL: z.string(),
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
  /** Where recordings and decoded sound lie while they are worked on. */
  SCRATCH_DIR: z.string().default('/tmp'),
})

/** As a construct sets it: every value a string; what has a default may be left out. */
export type Variables<S extends z.ZodObject> = {
  [Name in keyof z.input<S> as undefined extends z.input<S>[Name] ? never : Name]: string
} & { [Name in keyof z.input<S> as undefined extends z.input<S>[Name] ? Name : never]?: string }

export type FunctionVariables = Variables<typeof FunctionEnvironment>
export type WorkerVariables = Variables<typeof WorkerEnvironment>
