import { describe, expect, it } from '@jest/globals'
import { nextAttemptAt, TRIED_FOR_MS } from '../../../lib/core/webhooks/schedule.ts'

const SINCE = 1_763_600_000_000
const HOUR = 60 * 60 * 1000

/** Times of all attempts, in ms from the first, when every one fails at once. */
function attemptsOf(random: number, retryAfterMs?: number): number[] {
  const times: number[] = []
  for (let now: number | undefined = SINCE; now !== undefined; ) {
    times.push(now - SINCE)
    const retry = retryAfterMs === undefined ? {} : { retryAfterMs }
    now = nextAttemptAt({ since: SINCE, attempts: times.length, now, random, ...retry })
  }
  return times
}

describe('when a webhook is tried again', () => {
  it('begins with seconds and goes on with half hours, until a day has passed', () => {
    const times = attemptsOf(0.5)
    expect(times.slice(0, 12).map((ms) => ms / 1000)).toEqual([
      0, 1, 3, 8, 18, 48, 108, 228, 528, 1128, 2328, 4128,
    ])
    expect(times[12]! - times[11]!).toBe(HOUR / 2)
    expect(times.at(-1)).toBe(TRIED_FOR_MS)
  })

  it('spreads what failed together by up to a fifth to either side', () => {
    const pause = (random: number) => attemptsOf(random)[1]
    expect([pause(0), pause(0.5), pause(1)]).toEqual([800, 1000, 1200])
  })

  it('leaves a receiver alone for as long as it asks', () => {
    expect(attemptsOf(0.5, HOUR).slice(0, 3)).toEqual([0, HOUR, 2 * HOUR])
    expect(attemptsOf(0.5, 100)[1]).toBe(1000)
  })

  it('makes its last attempt at the end of the day, whatever the receiver asks', () => {
    expect(attemptsOf(0.5, 40 * HOUR)).toEqual([0, TRIED_FOR_MS])
  })
})
