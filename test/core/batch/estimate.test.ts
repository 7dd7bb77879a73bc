import { describe, expect, it } from '@jest/globals'
import { estimate, quote, shardsOf } from '../../../lib/core/batch/estimate.ts'
import { howFar } from '../../../lib/core/batch/how-far.ts'
import { guessLengthMs } from '../../../lib/core/batch/length-guess.ts'
import type { JobIn } from '../../../lib/core/job.ts'
import type { ShardTally } from '../../../lib/core/ports.ts'
import { DEFAULT_SETTINGS, type Pace } from '../../../lib/core/settings.ts'
import { START } from '../../support/ports.ts'
import { STATES } from './jobs.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const settings = { ...DEFAULT_SETTINGS, shardMs: 75_000 }
const lambda: Pace = { workPerAudio: 0.85, workers: 500, startMs: 10_000, dollarsPerHour: 0.6 }

describe('the number of shards', () => {
  it.each([
    [0, 1],
    [MINUTE, 1],
    [112_500, 1],
    [112_501, 1],
    [113_000, 2],
    [HOUR, 48],
    [24 * HOUR, 999],
  ])('of %i ms is about %i', (audioMs, shards) => {
    expect(Math.abs(shardsOf(audioMs, settings) - shards)).toBeLessThanOrEqual(1)
  })

  it('is never more than the deployment allows', () => {
    for (const hours of [1, 10, 24]) expect(shardsOf(hours * HOUR, settings)).toBeLessThanOrEqual(1000)
  })
})

describe('an estimate', () => {
  it('of a long recording is one round where there are workers for all shards', () => {
    const { shards, wallMs, costUsd } = estimate(HOUR, settings, lambda)
    // Two cold starts, a shard's work, planning at 500 times real time, and what is left.
    expect(wallMs).toBe(Math.round(20_000 + (HOUR / shards) * 0.85 + HOUR / 500 + 2000))
    expect(costUsd).toBe(0.51)
  })

  it('is rounds of shards where there are not', () => {
    const few = { ...lambda, workers: 10, startMs: 0 }
    const { shards, wallMs } = estimate(HOUR, settings, few)
    const rounds = Math.ceil(shards / 10)
    expect(wallMs).toBe(Math.round(rounds * (HOUR / shards) * 0.85 + HOUR / 500 + 2000))
  })

  it('of a short recording is one start and its own work', () => {
    expect(estimate(MINUTE, settings, lambda)).toEqual({
      ...{ audioMs: MINUTE, shards: 1, wallMs: 10_000 + 51_000 + 120 + 2000, costUsd: 0.0085 },
    })
  })

  it('costs the same however many workers there are', () => {
    const costs = [1, 7, 500].map((workers) => estimate(5 * HOUR, settings, { ...lambda, workers }).costUsd)
    expect(new Set(costs)).toEqual(new Set([2.55]))
  })

  it('has no cost where no price is known', () => {
    const { dollarsPerHour: _, ...free } = lambda
    expect(estimate(HOUR, settings, free)).not.toHaveProperty('costUsd')
  })

  it('never says that more workers take longer', () => {
    const walls = Array.from({ length: 60 }, (_, i) =>
      estimate(HOUR, settings, { ...lambda, workers: i + 1 }),
    ).map(({ wallMs }) => wallMs)
    expect(walls).toEqual(walls.toSorted((a, b) => b - a))
  })
})

describe('a quote', () => {
  const wav = { sizeBytes: 32_000 * 60, contentType: 'audio/wav', filename: 'talk.wav' }

  it('goes by the length where that is known, else by the size', async () => {
    const ports = { settings: { ...settings, pace: lambda } }
    expect(await quote(ports, { ...wav, durationMs: HOUR })).toMatchObject({
      basis: 'duration',
      audioMs: HOUR,
    })
    expect(await quote(ports, wav)).toMatchObject({ basis: 'size', audioMs: MINUTE })
  })

  it('is about no recording that would be refused for its length', async () => {
    const ports = { settings: { ...settings, pace: lambda } }
    expect(await quote(ports, { ...wav, sizeBytes: 1e12 })).toMatchObject({ audioMs: 24 * HOUR })
  })

  it('takes what the host has measured, and what is set where it has not', async () => {
    const slow = { workPerAudio: 2, workers: 1, startMs: 0 }
    const set = { settings: { ...settings, pace: lambda } }
    const measured = await quote({ ...set, pace: async () => slow }, wav)
    expect(measured).toEqual({ basis: 'size', ...estimate(MINUTE, settings, slow) })
    const unmeasured = await quote({ ...set, pace: async () => undefined }, wav)
    expect(unmeasured).toEqual({ basis: 'size', ...estimate(MINUTE, settings, lambda) })
  })

  it('is not made where nothing is known', async () => {
    expect(await quote({ settings }, wav)).toBeUndefined()
  })

  it.each([
    ['audio/wav', 'x', 256],
    ['audio/x-wav; codecs=1', 'x', 256],
    ['audio/flac', 'x', 128],
    ['audio/mpeg', 'x.wav', 64],
    ['audio/mp4', 'x', 64],
    ['audio/ogg', 'x', 28],
    ['audio/webm;codecs=opus', 'x', 28],
    ['audio/amr', 'x', 12.2],
    ['video/3gpp', 'x', 12.2],
    ['video/mp4', 'x', 500],
    ['application/octet-stream', 'Talk.WAV', 256],
    ['application/octet-stream', 'talk.opus', 28],
    ['application/octet-stream', 'talk.mkv', 500],
    ['application/octet-stream', 'wav', 64],
    ['application/octet-stream', 'flac.mp3', 64],
    ['x/y', 'talk', 64],
  ])('takes %s named %s for %d kbit/s', (contentType, filename, kbits) => {
    expect(guessLengthMs({ sizeBytes: 1_000_000, contentType, filename })).toBe(Math.round(8_000_000 / kbits))
  })
})

const running = (more: object = {}): JobIn<'PROCESSING'> =>
  ({ ...STATES.PROCESSING, durationMs: HOUR, ...more }) as JobIn<'PROCESSING'>

/** `done` shards of equal length, each of which took `workMs`. */
const tallyOf = (done: number, audioMs: number, workMs: number): ShardTally => ({
  ended: Array.from({ length: done }, (_, n) => n),
  ...{ audioMs: done * audioMs, workMs: done * workMs, engineMs: done * workMs, failed: [] },
})

describe('what is left of a job of many shards', () => {
  const SHARD = 75_000
  const WORK = 60_000
  const job = running({ shards: { total: 48, audioMs: 48 * SHARD, sent: true } })
  const at = (elapsedMs: number, done: number, pace?: Pace) =>
    howFar(job, { tally: tallyOf(done, SHARD, WORK), nowMs: START + elapsedMs, ...(pace && { pace }) })
  /** Ends of shards on so many workers that begin after 10 s, as nothing but arithmetic has it. */
  const plays = (workers: number) => {
    const begin = 10_000 + HOUR / 500
    const end = begin + Math.ceil(48 / workers) * WORK
    return { end, done: (ms: number) => Math.min(48, Math.max(0, Math.floor((ms - begin) / WORK)) * workers) }
  }

  it('is the pace until a shard has ended', () => {
    const pace = { ...lambda, workPerAudio: 0.8 }
    expect(at(0, 0, pace).remainingMs).toBe(10_000 + HOUR / 500 + WORK + 2000)
    expect(at(5000, 0, pace).remainingMs).toBe(5000 + HOUR / 500 + WORK + 2000)
  })

  it('is unknown until then, where there is no pace', () => {
    expect(at(30_000, 0)).not.toHaveProperty('remainingMs')
  })

  it.each([
    [1, 1],
    [8, 8],
    [48, 500],
    [500, 500],
  ])(
    'is told within a tenth of the whole with %i workers where %i are reckoned with',
    (workers, reckoned) => {
      const { end, done } = plays(workers)
      const pace = { ...lambda, workPerAudio: 0.8, workers: reckoned }
      for (let ms = 0; ms < end; ms += 1000) {
        const left = at(ms, done(ms), pace).remainingMs!
        expect(Math.abs(left - 2000 - (end - ms))).toBeLessThanOrEqual(Math.max(2000, end / 10))
      }
    },
  )

  it.each([4, 10])('is seen from what has ended where %i workers come in place of 500', (workers) => {
    const { end, done } = plays(workers)
    for (let ms = 10_000 + HOUR / 500 + 1.6 * WORK; ms < end; ms += 1000) {
      const left = at(ms, done(ms), lambda).remainingMs!
      expect(left).toBeGreaterThan((end - ms) / 2 - WORK)
      expect(left).toBeLessThan((end - ms) * 1.5 + 1.5 * WORK)
    }
  })

  it('is never less than the writing of the files', () => {
    expect(at(9 * HOUR, 47, lambda).remainingMs).toBeGreaterThanOrEqual(2000)
    expect(at(HOUR, 48, lambda).remainingMs).toBe(2000)
    expect(at(-5000, 0, lambda).remainingMs).toBeGreaterThan(0)
  })

  it('goes with a speed in the length of the recording, and a share below 1 until the end', () => {
    expect(at(120_000, 24)).toMatchObject({
      ...{ progress: 0.5, speed: 15, shards: { done: 24, total: 48 } },
    })
    expect(at(240_000, 48)).toMatchObject({ progress: 0.999 })
  })

  it('does not fall below what the record says', () => {
    const later = { ...job, progress: 0.75 }
    expect(howFar(later, { tally: tallyOf(12, SHARD, WORK), nowMs: START })).toMatchObject({ progress: 0.75 })
    expect(howFar(later, { nowMs: START + 1 })).toEqual({ progress: 0.75 })
  })

  it('is sane for shards that count for nothing', () => {
    const silent = running({ shards: { total: 2, audioMs: 0, sent: true } })
    expect(howFar(silent, { tally: tallyOf(1, 0, 5), nowMs: START + 9 })).toEqual({
      ...{ progress: 0, shards: { done: 1, total: 2 } },
    })
  })
})

describe('what is left of a job in one piece', () => {
  const at = (elapsedMs: number, more: object, pace?: Pace) =>
    howFar(running({ durationMs: MINUTE, ...more }), { nowMs: START + elapsedMs, ...(pace && { pace }) })

  it('follows from the time that what is done has taken', () => {
    expect(at(25_000, { progress: 0.25, workMs: 10_000 })).toEqual({
      ...{ progress: 0.25, speed: 1.5, remainingMs: 32_000 },
    })
  })

  it('goes by the clock where nobody has counted', () => {
    expect(at(10_000, { progress: 0.5 })).toEqual({ progress: 0.5, speed: 3, remainingMs: 12_000 })
  })

  it('is the pace until something is done', () => {
    expect(at(1120, { progress: 0 }, lambda)).toEqual({ progress: 0, remainingMs: 52_000 })
    expect(at(HOUR, { progress: 0 }, lambda)).toEqual({ progress: 0, remainingMs: 2000 })
  })

  it('is unknown while nothing is', () => {
    expect(at(1000, { progress: 0 })).toEqual({ progress: 0 })
    expect(at(1000, { progress: 0, durationMs: undefined }, lambda)).toEqual({ progress: 0 })
  })
})
