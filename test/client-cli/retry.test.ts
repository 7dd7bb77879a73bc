import { describe, expect, it } from '@jest/globals'
import { pooled } from '../../client-cli/pool.ts'
import { Refusal, retrying } from '../../client-cli/retry.ts'
import { VerbatimError } from '../../lib/core/errors.ts'

const limits = { pauseMs: 1, maxPauseMs: 4, patienceMs: 10_000 }
const broken = () => new VerbatimError('network', 'broken')

describe('trying again', () => {
  it('ends with the first success', async () => {
    const result = await retrying(async (n) => {
      if (n < 4) throw broken()
      return n
    }, limits)
    expect(result).toBe(4)
  })

  it('gives up after so many tries, with the last error', async () => {
    let tries = 0
    const giving = retrying(
      async (n) => {
        tries = n
        throw broken()
      },
      { ...limits, tries: 3 },
    )
    await expect(giving).rejects.toMatchObject({ code: 'network' })
    expect(tries).toBe(3)
  })

  it.each([
    ['a refusal that stays', new VerbatimError('unauthorized', 'no')],
    ['a mistake of our own', new TypeError('oops')],
  ])('is not for %s', async (_, error) => {
    let tries = 0
    await expect(
      retrying(async (n) => {
        tries = n
        throw error
      }, limits),
    ).rejects.toBe(error)
    expect(tries).toBe(1)
  })

  it('does not begin when the service wants a longer pause than we have patience for', async () => {
    let tries = 0
    const asking = retrying(
      async (n) => {
        tries = n
        throw new Refusal('too-many-requests', 'later', { retryAfterMs: 60_000 })
      },
      { ...limits, patienceMs: 1000 },
    )
    await expect(asking).rejects.toMatchObject({ code: 'too-many-requests' })
    expect(tries).toBe(1)
  })

  it('ends with the reason of an abort, also during a pause', async () => {
    const stop = new AbortController()
    const trying = retrying(
      async () => {
        setImmediate(() => stop.abort(new Error('enough')))
        throw broken()
      },
      { ...limits, pauseMs: 60_000, maxPauseMs: 60_000, patienceMs: 120_000, signal: stop.signal },
    )
    await expect(trying).rejects.toThrow('enough')
  })
})

describe('several files at once', () => {
  it('are never more than allowed, and keep their order', async () => {
    let running = 0
    let most = 0
    const results = pooled([30, 5, 20, 1], 2, async (ms, index) => {
      running++
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, ms))
      running--
      return index
    })
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3])
    expect(most).toBe(2)
  })
})
