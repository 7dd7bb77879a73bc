import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readStatus } from '../../../lib/core/batch/6-status.ts'
import type { Job } from '../../../lib/core/job.ts'
import { transcriptKey } from '../../../lib/core/keys.ts'
import { Transcript } from '../../../lib/core/transcript/shape.ts'
import { withStereo } from '../../support/media.ts'
import { createPorts, eventually, START, type TestPorts } from '../../support/ports.ts'
import { SPOKEN } from '../../support/scripted-engine.ts'
import { concat, silence, wavBytes } from '../../support/speak.ts'
import { stored, storeJob, TENANT } from './jobs.ts'
import { bursts, deliver, deliverAll, leftovers, ONE, objectsOf, queueJob, SILENT } from './recordings.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

async function transcriptOf(job: Job): Promise<Transcript> {
  const bytes = await ports.objects.get(transcriptKey(job, 'json'))
  return Transcript.parse(JSON.parse(Buffer.from(bytes!).toString('utf8')))
}

describe('a worker', () => {
  it.each([
    [['json'], ['json']],
    [['srt'], ['json', 'srt']],
    [
      ['vtt', 'txt'],
      ['json', 'txt', 'vtt'],
    ],
    [
      ['json', 'srt', 'vtt', 'txt'],
      ['json', 'srt', 'txt', 'vtt'],
    ],
  ] as const)('asked for %j writes %j and keeps nothing else but the recording', async (formats, written) => {
    const job = await queueJob(ports, ONE, { formats: [...formats] })
    expect(await deliver(ports, job)).toBe('completed')
    expect(await objectsOf(ports, job)).toEqual([
      'uploads/',
      ...written.map((format) => `transcripts/.${format}`),
    ])
    expect(await leftovers(ports)).toEqual([])
  })

  it('ends the job as COMPLETED with what it found out', async () => {
    const job = await queueJob(ports)
    ports.time.now = START + 5000
    expect(await deliver(ports, job)).toBe('completed')
    expect(await stored(ports, job)).toMatchObject({
      ...{ status: 'COMPLETED', startedAt: START + 5000, completedAt: START + 5000 },
      ...{ durationMs: 16_800, language: 'de' },
    })
  })

  it('writes a transcript of all windows in their order, on the clock of the recording', async () => {
    const job = await queueJob(ports)
    await deliver(ports, job)
    const { segments, text, durationMs, engine, warnings } = await transcriptOf(job)
    expect(ports.engine.heard).toHaveLength(3)
    expect(text).toBe(ports.engine.heard.map(({ ms }) => `${SPOKEN} ${ms} de`).join(' '))
    expect({ durationMs, engine, warnings }).toEqual({
      ...{ durationMs: 16_800, warnings: [] },
      engine: { name: 'scripted', version: '1', model: 'scripted' },
    })
    const sounds = [
      [0, 1200],
      [7200, 8800],
      [14_800, 16_800],
    ] as const
    for (const [i, [startMs, endMs]] of sounds.entries()) {
      expect(segments[i]!.startMs).toBeLessThanOrEqual(startMs)
      expect(segments[i]!.startMs).toBeGreaterThanOrEqual(startMs - 600)
      expect(segments[i]!.endMs).toBeGreaterThanOrEqual(endMs)
      expect(segments[i]!.endMs).toBeLessThanOrEqual(endMs + 600)
    }
  })

  it('never troubles the engine with a silent recording', async () => {
    const job = await queueJob(ports, SILENT)
    expect(await deliver(ports, job)).toBe('completed')
    expect(ports.engine.heard).toEqual([])
    expect(ports.engine.detected).toEqual([])
    expect(await transcriptOf(job)).toMatchObject({
      text: '',
      segments: [],
      language: null,
      durationMs: 4000,
    })
    expect(await stored(ports, job)).not.toHaveProperty('language')
    expect(await objectsOf(ports, job)).toHaveLength(5)
  })

  it('hears separate channels each on its own, and the channel is the speaker', async () => {
    const left = concat([bursts(1200), silence(9000)])
    const right = concat([silence(7000), bursts(1600)])
    const stereo = wavBytes(withStereo(left, right), { channels: 2 })
    const job = await queueJob(ports, stereo, { channels: 'separate' })
    expect(await deliver(ports, job)).toBe('completed')
    const { segments } = await transcriptOf(job)
    expect(segments.map(({ speaker }) => speaker)).toEqual(['channel-1', 'channel-2'])
    expect(ports.engine.heard).toHaveLength(2)
  })

  it('hears mixed channels at once, and names nobody', async () => {
    const stereo = wavBytes(withStereo(bursts(1200), bursts(1200)), { channels: 2 })
    const job = await queueJob(ports, stereo)
    await deliver(ports, job)
    expect(ports.engine.heard).toHaveLength(1)
    expect((await transcriptOf(job)).segments[0]).not.toHaveProperty('speaker')
  })

  it('detects the language once, and hears every window in it', async () => {
    const job = await queueJob(ports)
    await deliver(ports, job)
    expect(ports.engine.detected).toHaveLength(1)
    expect(ports.engine.heard.map(({ language }) => language)).toEqual(['de', 'de', 'de'])
    expect((await transcriptOf(job)).language).toEqual({ code: 'de', detected: true, probability: 0.75 })
  })

  it('does not detect a language that the client named, and passes the prompt on', async () => {
    const job = await queueJob(ports, undefined, { language: 'fr', prompt: 'Zoë, Łukasz' })
    await deliver(ports, job)
    expect(ports.engine.detected).toEqual([])
    expect(ports.engine.heard.map(({ ms: _, ...options }) => options)).toEqual(
      Array(3).fill({ language: 'fr', prompt: 'Zoë, Łukasz' }),
    )
    expect((await transcriptOf(job)).language).toEqual({ code: 'fr', detected: false })
  })

  it('shows progress that only grows, and reaches the end with the job', async () => {
    const job = await queueJob(ports)
    ports.engine.block()
    const delivered = deliver(ports, job)
    const seen: number[] = []
    for (let window = 0; window < 3; window++) {
      await ports.engine.whenWaiting(1)
      const least = seen.at(-1) ?? -1
      const { progress } = await eventually(async () => {
        const status = await readStatus(ports)(TENANT, job.jobId)
        return status.status === 'PROCESSING' && status.progress > least && status
      })
      seen.push(progress)
      ports.engine.release(1)
    }
    expect(await delivered).toBe('completed')
    expect(seen[0]).toBe(0)
    expect(seen.every((share, i) => i === 0 || share > seen[i - 1]!)).toBe(true)
    expect(seen[2]).toBeLessThan(1)
    expect((await readStatus(ports)(TENANT, job.jobId)).progress).toBe(1)
  })

  it('logs what it does by ids and counts, without a word of what was said, asked or named', async () => {
    const prompt = 'Marmalade'
    const job = await queueJob(ports, undefined, { prompt, metadata: { case: 'Quincunx' } })
    await deliver(ports, job)
    const log = ports.logLines.join('\n')
    expect(log).toContain(job.jobId)
    expect(log).not.toMatch(new RegExp(`${SPOKEN}|${prompt}|Quincunx|talk`, 'i'))
  })
})

describe('a delivery with nothing to do', () => {
  it.each(['UPLOADING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const)(
    'because the job is %s is done with, and the job stays as it is',
    async (status) => {
      const job = await storeJob(ports, status)
      expect(await deliver(ports, job)).toBe('nothing-to-do')
      expect(await stored(ports, job)).toEqual(job)
    },
  )

  it.each([
    // A worker may have been killed between the end of a job and the tidying up.
    ['COMPLETED', ['uploads/', 'transcripts/.json']],
    ['FAILED', ['uploads/']],
    ['CANCELLED', []],
    ['erased', []],
  ] as const)('because the job is %s deletes what no longer belongs to it', async (status, left) => {
    const job = await storeJob(ports, status === 'erased' ? 'CANCELLED' : status)
    if (status === 'erased') await ports.jobs.remove(TENANT, job.jobId)
    const ref = `${TENANT}/${job.jobId}`
    for (const key of [`uploads/${ref}`, `work/${ref}/0-0-100.json`, `transcripts/${ref}.json`])
      await ports.objects.put(key, '{}', 'application/json')
    expect(await deliver(ports, job)).toBe('nothing-to-do')
    expect(await objectsOf(ports, job)).toEqual(left)
  })

  it('because another worker holds the job is asked for again', async () => {
    const job = await storeJob(ports, 'PROCESSING')
    expect(await deliver(ports, job)).toBe('again')
    expect(await stored(ports, job)).toEqual(job)
  })
})

describe('two deliveries at once', () => {
  it('are one transcription', async () => {
    const job = await queueJob(ports)
    ports.engine.block()
    const first = deliver(ports, job)
    await ports.engine.whenWaiting(1)
    expect(await deliver(ports, job)).toBe('again')
    ports.engine.release()
    expect(await first).toBe('completed')
    expect(await deliverAll(ports, job)).toEqual(['nothing-to-do'])
    expect(ports.engine.heard).toHaveLength(3)
    expect(await objectsOf(ports, job)).toHaveLength(5)
  })
})
