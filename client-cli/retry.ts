import { setTimeout as sleep } from 'node:timers/promises'
import { VerbatimError } from '../lib/core/errors.ts'

/** How long the client waits for what. Milliseconds, but for `tries`. */
export interface Pace {
  /** A service that has answered once is given this long to come back (a restart, a deployment). */
  readonly patienceMs: number
  /** One that has never answered: most likely the URL is wrong, so say it soon. */
  readonly firstMs: number
  /** The first pause between two tries; each next one is twice as long, up to `maxPauseMs`. */
  readonly pauseMs: number
  readonly maxPauseMs: number
  /** How often one PUT of a file or a part is tried. */
  readonly tries: number
  /** A connection on which nothing moves for so long is broken. */
  readonly stallMs: number
  /** The first and the longest pause between two looks at a job. */
  readonly pollMs: number
  readonly maxPollMs: number
}

export const PACE: Pace = {
  patienceMs: 60_000,
  firstMs: 1000,
  pauseMs: 300,
  maxPauseMs: 5000,
  tries: 5,
  stallMs: 60_000,
  pollMs: 100,
  maxPollMs: 2000,
}

/** A refusal by the service or the store that may say when to come back. */
export class Refusal extends VerbatimError {
  readonly retryAfterMs: number | undefined

  constructor(
    code: VerbatimError['code'],
    message: string,
    options: { hint?: string; cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(code, message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

export interface Limits {
  readonly pauseMs: number
  readonly maxPauseMs: number
  /** At most so many tries; without it only the time counts. */
  readonly tries?: number
  /** No new try begins later than this after the first. */
  readonly patienceMs: number
  readonly signal?: AbortSignal | undefined
}

/** Tries again what may succeed later (trait `retry` of the error), with pauses that grow. Throws the last error. */
export async function retrying<T>(attempt: (n: number) => Promise<T>, limits: Limits): Promise<T> {
  const until = Date.now() + limits.patienceMs
  for (let n = 1; ; n++) {
    limits.signal?.throwIfAborted()
    try {
      return await attempt(n)
    } catch (error) {
      limits.signal?.throwIfAborted()
      if (!(error instanceof VerbatimError) || !error.traits.retry) throw error
      const pause = pauseAfter(n, error, limits)
      if (n >= (limits.tries ?? Number.POSITIVE_INFINITY) || Date.now() + pause > until) throw error
      await pauseFor(pause, limits.signal)
    }
  }
}

/** Sleeps; throws the signal's own reason when it is aborted. */
export async function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** Doubles each time, with up to a quarter less so that many clients do not come back in step. */
function pauseAfter(n: number, error: VerbatimError, { pauseMs, maxPauseMs }: Limits): number {
  if (error instanceof Refusal && error.retryAfterMs !== undefined) return error.retryAfterMs
  return Math.min(pauseMs * 2 ** (n - 1), maxPauseMs) * (1 - Math.random() / 4)
}
