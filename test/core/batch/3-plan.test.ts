import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { planRecording } from '../../../lib/core/batch/3-plan.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import type { DecodeOptions } from '../../../lib/core/ports.ts'
import { withStereo } from '../../support/media.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { concat, silence, wavBytes } from '../../support/speak.ts'
import { bursts, leftovers, ONE, queueJob, SILENT, THREE } from './recordings.ts'

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
    const { windows, recording } = await planRecording(ports, job, never())
    expect(recording.durationMs).toBe(16_800)
    expect(windows.map(({ channel }) => channel)).toEqual([0, 0, 0])
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
    expect(one.windows).toEqual(two.windows)
    expect(one.voiced).toEqual(two.voiced)
    await Promise.all([one.recording.dispose(), two.recording.dispose()])
  })

  it('of silence has nothing to hear', async () => {
    const { windows, voiced, recording } = await planRecording(ports, await queueJob(ports, SILENT), never())
    expect(windows).toEqual([])
    expect(voiced).toBeUndefined()
    await recording.dispose()
  })

  it('of separate channels takes their windows in turn, and listens for the language where most is said', async () => {
    const left = concat([bursts(1200, 1200), silence(2000)])
    const right = concat([silence(3000), bursts(4000), silence(3400)])
    const bytes = wavBytes(withStereo(left, right), { channels: 2 })
    const job = await queueJob(ports, bytes, { channels: 'separate' })
    const { windows, voiced, recording } = await planRecording(ports, job, never())
    expect(windows.map(({ channel }) => channel)).toEqual([0, 1, 0])
    expect(windows.map(({ startMs }) => startMs)).toEqual(
      windows.map(({ startMs }) => startMs).toSorted((a, b) => a - b),
    )
    expect(voiced?.channel).toBe(1)
    expect(recording.channels).toBe(2)
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
