import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { cancelJob, eraseJob } from '../../../lib/core/batch/erase.ts'
import type { Job } from '../../../lib/core/job.ts'
import type { DecodeOptions } from '../../../lib/core/ports.ts'
import { createPorts, eventually, preceded, type TestPorts } from '../../support/ports.ts'
import { createScriptedEngine } from '../../support/scripted-engine.ts'
import { stored, TENANT } from './jobs.ts'
import { deliver, leftovers, ONE, objectsOf, queueJob, THREE } from './recordings.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

/** A heart so slow that a worker notices nothing between its first and its last write. */
const asleep = () => ({ ...ports.settings, heartbeatMs: 3_600_000 })

type Act = (job: Job) => Promise<unknown>
const ACTS: ReadonlyArray<readonly [string, Act, string | undefined]> = [
  ['cancelled', ({ jobId }) => cancelJob(ports)(TENANT, jobId), 'CANCELLED'],
  ['erased', ({ jobId }) => eraseJob(ports)(TENANT, jobId), undefined],
]

/** Makes `act` happen in a phase of the next delivery. */
type Phase = (act: () => Promise<unknown>) => Partial<TestPorts>
const PHASES: ReadonlyArray<readonly [string, Phase]> = [
  [
    'decoded',
    (act) => ({
      decoder: {
        async decode(path: string, options: DecodeOptions) {
          await act()
          await aborted(options.signal!)
          return ports.decoder.decode(path, options)
        },
      },
    }),
  ],
  [
    'heard',
    (act) => {
      ports.engine.block()
      void ports.engine.whenWaiting(1).then(act)
      return {}
    },
  ],
  [
    'published',
    (act) => ({
      objects: preceded(ports.objects, 'put', act, (key: string) => key.startsWith('transcripts/')),
    }),
  ],
  [
    'published, unnoticed until the very end',
    (act) => ({
      settings: asleep(),
      objects: preceded(ports.objects, 'put', act, (key: string) => key.endsWith('.txt')),
    }),
  ],
]

describe.each(ACTS)('a job that is %s', (_, act, status) => {
  it.each(PHASES)('while it is %s leaves nothing behind', async (_, phase) => {
    const job = await queueJob(ports, ONE)
    let acting: Promise<unknown> | undefined
    const there = { ...ports, ...phase(() => (acting = act(job))) }
    expect(await deliver(there, job)).toBe('stopped')
    await acting
    expect((await stored(ports, job))?.status).toBe(status)
    expect(await objectsOf(ports, job)).toEqual([])
    expect(await leftovers(ports)).toEqual([])
    // The message may come once more all the same.
    expect(await deliver(ports, job)).toBe('nothing-to-do')
  })

  it('while the worker is asked to stop leaves nothing behind', async () => {
    const job = await queueJob(ports)
    const drain = new AbortController()
    ports.engine.block()
    const delivered = deliver({ ...ports, settings: asleep() }, job, drain.signal)
    await ports.engine.whenWaiting(1)
    await act(job)
    // A window is heard and saved after everything was deleted.
    ports.engine.release(1)
    await eventually(async () => (await objectsOf(ports, job)).length > 0)
    await ports.engine.whenWaiting(1)
    drain.abort()
    expect(await delivered).toBe('stopped')
    expect(await objectsOf(ports, job)).toEqual([])
  })
})

describe('a worker that is asked to stop', () => {
  it('gives the job back, and the next one does not hear again what was saved', async () => {
    const job = await queueJob(ports)
    const drain = new AbortController()
    ports.engine.block()
    const delivered = deliver(ports, job, drain.signal)
    await ports.engine.whenWaiting(1)
    ports.engine.release(1)
    await eventually(async () => ports.engine.heard.length === 2)
    await ports.engine.whenWaiting(1)
    drain.abort()
    expect(await delivered).toBe('again')

    const before = await stored(ports, job)
    expect(before).toMatchObject({ status: 'PROCESSING', attempt: 1, failures: 0 })
    expect((before as { progress: number }).progress).toBeGreaterThan(0)
    expect(await objectsOf(ports, job)).toEqual(['uploads/', expect.stringMatching(/^work\/\/0-/)])
    expect(await leftovers(ports)).toEqual([])

    ports.engine.release()
    expect(await deliver(ports, job)).toBe('completed')
    const [first, second, ...rest] = ports.engine.heard.map(({ ms }) => ms)
    expect(rest).toEqual([second, expect.any(Number)])
    expect(rest).not.toContain(first)
    expect(await objectsOf(ports, job)).toHaveLength(5)
  })

  it('while it decodes gives the job back too', async () => {
    const job = await queueJob(ports, THREE)
    const drain = new AbortController()
    const decoder = {
      decode(path: string, options: DecodeOptions) {
        drain.abort()
        return ports.decoder.decode(path, options)
      },
    }
    expect(await deliver({ ...ports, decoder }, job, drain.signal)).toBe('again')
    expect(await stored(ports, job)).toMatchObject({ status: 'PROCESSING', failures: 0 })
    expect(await deliver(ports, job)).toBe('completed')
  })

  it('before it begins hears nothing', async () => {
    const job = await queueJob(ports)
    expect(await deliver(ports, job, AbortSignal.abort())).toBe('again')
    expect(ports.engine.heard).toEqual([])
    expect(await deliver(ports, job)).toBe('completed')
  })
})

describe('a worker that was away for longer than its lease', () => {
  it('takes nothing from the one that has completed the job meanwhile', async () => {
    const job = await queueJob(ports)
    const sleeper = createScriptedEngine()
    sleeper.block()
    const first = deliver({ ...ports, engine: sleeper, settings: asleep() }, job)
    await sleeper.whenWaiting(1)
    ports.time.now += ports.settings.leaseMs
    expect(await deliver(ports, job)).toBe('completed')
    const completed = await stored(ports, job)
    const published = await objectsOf(ports, job)

    sleeper.release()
    expect(await first).toBe('stopped')
    expect(await stored(ports, job)).toEqual(completed)
    expect(await objectsOf(ports, job)).toEqual(published)
    expect(published).toHaveLength(5)
  })

  it('stops when it wakes while the other is still at work', async () => {
    const job = await queueJob(ports)
    const sleeper = createScriptedEngine()
    sleeper.block()
    ports.engine.block()
    const first = deliver({ ...ports, engine: sleeper, settings: asleep() }, job)
    await sleeper.whenWaiting(1)
    ports.time.now += ports.settings.leaseMs
    const second = deliver(ports, job)
    await ports.engine.whenWaiting(1)
    sleeper.release()
    expect(await first).toBe('stopped')
    expect(await stored(ports, job)).toMatchObject({ status: 'PROCESSING', attempt: 2 })
    ports.engine.release()
    expect(await second).toBe('completed')
    expect(await objectsOf(ports, job)).toHaveLength(5)
  })
})

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
