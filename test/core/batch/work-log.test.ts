import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createPorts, eventually, START, type TestPorts } from '../../support/ports.ts'
import { SPOKEN } from '../../support/scripted-engine.ts'
import { stored } from './jobs.ts'
import { deliver, ONE, queueJob } from './recordings.ts'

// What the metrics of a deployment are made of (lib/adapters/aws/metrics.ts).

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const logged = (event: string) =>
  ports.logLines.map((line) => JSON.parse(line)).filter((entry) => entry.event === event)

const MINUTE = 60_000

describe('the log of a job', () => {
  it('says how long the recording is and how many words its transcript has, and none of them', async () => {
    const job = await queueJob(ports, ONE)
    await deliver(ports, job)
    const words = `${SPOKEN} 1800 de`.trim().split(/\s+/).length
    expect(logged('job transcribed')).toEqual([
      expect.objectContaining({ code: 'finished', audioMs: 1200, words, ms: 0, jobId: job.jobId }),
    ])
    expect(ports.logLines.join()).not.toContain(SPOKEN)
  })

  it('says how long all its workers have worked on it, and not how long it waited between them', async () => {
    const job = await queueJob(ports)
    const drain = new AbortController()
    ports.engine.block()
    const delivered = deliver(ports, job, drain.signal)
    await ports.engine.whenWaiting(1)
    ports.time.now += 2 * MINUTE
    ports.engine.release(1)
    await eventually(async () => ports.engine.heard.length === 2)
    await ports.engine.whenWaiting(1)
    ports.time.now += MINUTE
    drain.abort()
    expect(await delivered).toBe('again')
    expect(await stored(ports, job)).toMatchObject({ workMs: 3 * MINUTE })

    ports.time.now += 60 * MINUTE
    ports.engine.release(1)
    const second = deliver(ports, job)
    await ports.engine.whenWaiting(1)
    ports.time.now += 4 * MINUTE
    ports.engine.release()
    expect(await second).toBe('completed')
    expect(logged('job transcribed')).toMatchObject([{ ms: 7 * MINUTE }])
  })

  it('says why a job failed, and of an attempt that will be repeated something else', async () => {
    const job = await queueJob(ports, new TextEncoder().encode('no sound at all'))
    expect(await deliver(ports, job)).toBe('failed')
    const { error } = (await stored(ports, job)) as { error: { code: string } }
    expect(logged('job failed')).toMatchObject([{ code: error.code, jobId: job.jobId }])

    ports.engine.fail('engine-crashed')
    expect(await deliver(ports, await queueJob(ports, ONE))).toBe('again')
    expect(logged('job failed')).toHaveLength(1)
    expect(logged('attempt failed')).toMatchObject([{ code: 'engine-crashed' }])
  })

  it('names a job as abandoned that has been taken too often', async () => {
    const job = await queueJob(ports, ONE)
    const tired = { ...ports, settings: { ...ports.settings, maxAttempts: 0 } }
    expect(await deliver(tired, job)).toBe('failed')
    expect(logged('job abandoned')).toMatchObject([{ level: 'error', code: 'failed', jobId: job.jobId }])
    expect(await stored(ports, job)).toMatchObject({ status: 'FAILED', updatedAt: START })
  })
})
