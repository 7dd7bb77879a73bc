const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** How long a delivery is tried. */
export const TRIED_FOR_MS = 24 * HOUR

/**
 * Pause after the nth failed attempt, the last one for all that follow. The example of the Standard Webhooks
 * specification (5 s, 5 min, 30 min, 2 h …) has long gaps early on; captions wait in order behind the first that
 * fails, so a receiver that restarts must get them within seconds, one that is down for an hour within minutes.
 */
const PAUSES_MS = [1, 2, 5, 10, 30, 60, 2 * 60, 5 * 60, 10 * 60, 20 * 60, 30 * 60].map((s) => s * SECOND)

/** Pauses differ by up to this share, so that what failed together does not come back together. */
const JITTER = 0.2

/**
 * When to try again after `attempts` failed ones, epoch ms; undefined when the time is over. The last attempt is made
 * at the end of the day, also where `retryAfterMs` points beyond it. `random`: 0 up to 1.
 */
export function nextAttemptAt(o: {
  readonly since: number
  readonly attempts: number
  readonly now: number
  readonly random: number
  readonly retryAfterMs?: number
}): number | undefined {
  const end = o.since + TRIED_FOR_MS
  if (o.now >= end) return undefined
  const pause = PAUSES_MS[Math.min(Math.max(o.attempts, 1), PAUSES_MS.length) - 1]!
  const jittered = Math.round(pause * (1 + JITTER * (2 * o.random - 1)))
  return Math.min(o.now + Math.max(jittered, o.retryAfterMs ?? 0), end)
}
