import { type ErrorCode, VerbatimError } from '../lib/core/errors.ts'
import type { JobError } from '../lib/core/job.ts'

/** The command line asks for something that cannot be. Exit code 2. */
export class UsageError extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'UsageError'
    this.hint = hint
  }
}

/** A job has ended as FAILED, or without a transcript. */
export class JobFailed extends VerbatimError {
  /** The stretch of the recording that it is about, where it is not the whole. */
  readonly range: JobError['range']

  constructor({ code, message, hint, range }: JobError) {
    super(code, message, hint === undefined ? {} : { hint })
    this.range = range
  }
}

/** A person or a supervisor wants us to stop. */
export class Interrupted extends Error {
  /** 128 + the signal's number, as shells count. */
  readonly exit: number

  constructor(exit: number) {
    super('Interrupted.')
    this.name = 'Interrupted'
    this.exit = exit
  }
}

export interface Failure {
  readonly code: ErrorCode | 'usage' | 'interrupted' | 'unexpected'
  readonly message: string
  readonly hint?: string
  readonly exit: number
  readonly range?: JobError['range']
}

const TOKEN_HINT =
  'Give a token that this service knows: --token, VERBATIM_TOKEN or `verbatim login`; `verbatim token create` makes one.'

/** What to tell about anything thrown, and the exit code (docs/cli.md). */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof VerbatimError) {
    const { code, message, hint, traits } = thrown
    const { range } = thrown instanceof JobFailed ? thrown : {}
    const advice = code === 'unauthorized' ? TOKEN_HINT : hint
    return { code, message, hint: advice, exit: traits.exit, ...(range && { range }) }
  }
  if (thrown instanceof UsageError) {
    return { code: 'usage', message: thrown.message, exit: 2, ...(thrown.hint && { hint: thrown.hint }) }
  }
  if (thrown instanceof Interrupted)
    return { code: 'interrupted', message: thrown.message, exit: thrown.exit }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { code: 'unexpected', message, exit: 1 }
}

/** What --json shows of a failure. */
export function failureJson({ code, message, hint, range }: Failure) {
  return { code, message, ...(hint !== undefined && { hint }), ...(range && { range }) }
}
