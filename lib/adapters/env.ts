import * as z from 'zod'
import { VerbatimError } from '../core/errors.ts'

// The only place that reads process.env. It is read at the moment of the call, so that a test can set a variable.

/** An empty variable counts as one that is not set. */
const text = z
  .string()
  .optional()
  .transform((value) => value || undefined)

const Environment = z.object({
  HOME: text,
  PATH: text,
  XDG_CACHE_HOME: text,
  /** Folder for the built engine and for models. */
  VERBATIM_CACHE: text,
  /** A whisper.cpp source tree to build the engine from. */
  WHISPER_CPP_DIR: text,
  /** Path of ffmpeg, or `off` to do without it. */
  VERBATIM_FFMPEG: text,
  /** Where models are fetched from: a mirror's base address, http(s):// or file://. */
  VERBATIM_MODEL_URL: text,
  /** Name or path of the model. */
  MODEL: text,
  /** Data folder of the one-machine service. */
  VERBATIM_DATA: text,
})
export type Environment = z.infer<typeof Environment>

/** The variables this program knows; nothing else of the environment is looked at. */
export function env(): Environment {
  return Environment.parse(process.env)
}

/** What a child process gets: our own environment and `extra`. */
export function childEnv(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...extra }
}

/** The variables of one program by its own schema. Fails with `internal`, naming what is missing or wrong. */
export function readEnvironment<S extends z.ZodType>(schema: S): z.output<S> {
  const parsed = schema.safeParse(process.env)
  if (parsed.success) return parsed.data
  const named = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new VerbatimError('internal', `The environment is not as it must be: ${named.join('; ')}`)
}
