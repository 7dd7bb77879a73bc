import { describe, expect, it } from '@jest/globals'
import { retryAfterMs } from '../../../lib/adapters/sinks/retry-after.ts'

const NOW = Date.UTC(2026, 10, 20, 10)

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7000],
    ['Fri, 20 Nov 2026 10:01:00 GMT', 60_000],
    ['Fri, 20 Nov 2026 09:00:00 GMT', 0],
    ['Friday, 20-Nov-26 10:00:30 GMT', 30_000],
    ['Fri Nov 20 10:00:05 2026 GMT', 5000],
  ])('%j is %d ms', (text, ms) => {
    expect(retryAfterMs(text, NOW)).toBe(ms)
  })

  it.each([undefined, '', '-1', '1.5', 'soon', '2026-11-20', '99999999999'])('%j says nothing', (text) => {
    expect(retryAfterMs(text, NOW)).toBeUndefined()
  })
})
