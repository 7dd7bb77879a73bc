import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { planRecording } from '../../../lib/core/batch/3-plan.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import type { DecodeOptions } from '../../../lib/core/ports.ts'
import { withStereo } from '../../support/media.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { concat, silence, wavBytes } from '../../support/speak.ts'
import { bursts, leftovers, ONE, queueJob, SILENT, THREE, unbroken } from './recordings.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const never = () => new AbortController().signal

describe('a plan', () => {
  it('has a window for each stretch of sound, in the order of time, and none for silence', async () => {
    const job = await queueJob(ports, THREE)
    const { shards, short, recording } = await planRecording(ports, job, never())
    expect(recording.durationMs).toBe(16_800)
    expect({ short, channels: shards.map(({ channel }) => channel) }).toEqual({ short: true, channels: [0] })
    const { windows } = shards[0]!
    expect(windows).toHaveLength(3)
    for (const [i, [startMs, endMs]] of [
      [0, 1200],
      [7200, 8800],
      [14_800, 16_800],
    ].entries()) {
      expect(windows[i]!.startMs).toBeLessThanOrEqual(startMs!)
      expect(windows[i]!.endMs).toBeGreaterThanOrEqual(endMs!)
      expect(windows[i]!.endMs - windows[i]!.startMs).toBeLessThan(endMs! - startMs! + 1200)
    }
    await recording.dispose()
  })

  it('of the same recording is the same each time', async () => {
    const job = await queueJob(ports, THREE)
    const [one, two] = await Promise.all([
      planRecording(ports, job, never()),
      planRecording(ports, job, never()),
    ])
    expect(one.shards).toEqual(two.shards)
    expect(one.samples).toEqual(two.samples)
    await Promise.all([one.recording.dispose(), two.recording.dispose()])
  })

  it('of silence has nothing to hear', async () => {
    const { recording, ...plan } = await planRecording(ports, await queueJob(ports, SILENT), never())
    expect(plan).toEqual({ shards: [], short: true, samples: [] })
    await recording.dispose()
  })

  it('of separate channels has shards for each, and listens for the language where most is said', async () => {
    const left = concat([bursts(1200, 1200), silence(2000)])
    const right = concat([silence(3000), bursts(4000), silence(3400)])
    const bytes = wavBytes(withStereo(left, right), { channels: 2 })
    const job = await queueJob(ports, bytes, { channels: 'separate' })
    const { shards, samples, recording } = await planRecording(ports, job, never())
    expect(shards.map(({ channel, windows }) => [channel, windows.length])).toEqual([
      [0, 2],
      [1, 1],
    ])
    expect(samples[0]?.channel).toBe(1)
    expect(recording.channels).toBe(2)
    await recording.dispose()
  })
})

describe('a plan of a recording longer than a shard', () => {
  const SHARD_MS = 2000
  const planned = (bytes: Uint8Array, settings = {}, options = {}) =>
    queueJob(ports, bytes, options).then((job) =>
      planRecording(
        { ...ports, settings: { ...ports.settings, shardMs: SHARD_MS, ...settings } },
        job,
        never(),
      ),
    )
  const spans = (windows: ReadonlyArray<{ startMs: number; endMs: number }>) =>
    windows.map(({ startMs, endMs }) => [startMs, endMs])

  it('has the windows of the plan in one piece, in order, each in one shard, and says that it is not short', async () => {
    const [whole, cut] = await Promise.all([planned(THREE, { shardMs: 60_000 }), planned(THREE)])
    expect([whole.short, cut.short]).toEqual([true, false])
    expect(cut.shards).toHaveLength(3)
    expect(cut.shards.flatMap(({ windows }) => spans(windows))).toEqual(spans(whole.shards[0]!.windows))
    expect(cut.samples).toEqual(whole.samples)
    await Promise.all([whole.recording.dispose(), cut.recording.dispose()])
  })

  it('gives each shard the voiced stretches of its windows and no others', async () => {
    const { shards, recording } = await planned(THREE)
    for (const { windows, regions, seams } of shards) {
      expect({ windows: windows.length, regions: regions.length, seams }).toEqual({
        ...{ windows: 1, regions: 1, seams: [] },
      })
      expect(regions[0]!.startMs).toBeGreaterThanOrEqual(windows[0]!.startMs)
      expect(regions[0]!.endMs).toBeLessThanOrEqual(windows[0]!.endMs)
    }
    await recording.dispose()
  })

  it('names the seams in the shard that hears the window before them', async () => {
    // A hundred seconds without a pause, so that every cut is one in unbroken sound.
    const { shards, recording } = await planned(wavBytes(unbroken(100_000)), { shardMs: 40_000 })
    expect(shards.map(({ windows }) => windows.length)).toEqual([2, 2])
    for (const [n, { windows, seams }] of shards.entries()) {
      const ends = windows.map(({ endMs }) => endMs)
      expect(seams).toEqual(n === shards.length - 1 ? ends.slice(0, -1) : ends)
    }
    await recording.dispose()
  })

  it('never has more shards than are allowed', async () => {
    const { shards, recording } = await planned(THREE, { maxShards: 2 })
    expect(shards.length).toBeLessThanOrEqual(2)
    await recording.dispose()
  })

  it('counts the speech of all channels, and has shards of one channel only', async () => {
    const stereo = wavBytes(withStereo(bursts(1200, 2000), bursts(2000, 1200)), { channels: 2 })
    const { shards, recording } = await planned(stereo, {}, { channels: 'separate' })
    expect(shards.map(({ channel }) => channel)).toEqual([0, 0, 1, 1])
    await recording.dispose()
  })
})

describe('planning', () => {
  it('gives the decoder more time for a larger file', async () => {
    const seen: DecodeOptions[] = []
    const decoder = {
      decode(path: string, options: DecodeOptions) {
        seen.push(options)
        return ports.decoder.decode(path, options)
      },
    }
    const settings = {
      ...ports.settings,
      decodeTimeoutMs: 5000,
      decodeTimeoutPerMbMs: 100,
      maxDurationMs: 7e6,
    }
    const job = await queueJob(ports, ONE)
    for (const sizeBytes of [0, 10 * 1024 ** 2]) {
      const plan = await planRecording({ ...ports, decoder, settings }, { ...job, sizeBytes }, never())
      await plan.recording.dispose()
    }
    expect(seen.map(({ limits }) => limits)).toEqual([
      { maxDurationMs: 7e6, timeoutMs: 5000 },
      { maxDurationMs: 7e6, timeoutMs: 6000 },
    ])
  })

  it('of a recording that is gone says so', async () => {
    const job = await queueJob(ports, ONE)
    await ports.objects.remove([uploadKey(job)])
    await expect(planRecording(ports, job, never())).rejects.toMatchObject({ code: 'recording-missing' })
  })

  it.each([
    ['well', ONE, undefined],
    ['badly', Buffer.from('no sound at all'), 'unsupported-audio'],
  ])('gives the uploaded file back when it ends %s', async (_, bytes, code) => {
    const job = await queueJob(ports, bytes)
    const planned = planRecording(ports, job, never())
    if (code) await expect(planned).rejects.toMatchObject({ code })
    else await (await planned).recording.dispose()
    expect(await leftovers(ports)).toEqual([])
  })
})
