import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readStatus } from '../../../lib/core/batch/6-status.ts'
import { JobStatus } from '../../../lib/core/contract.ts'
import { ERRORS, type ErrorCode, VerbatimError } from '../../../lib/core/errors.ts'
import type { Job } from '../../../lib/core/job.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import { createPorts, failing, type TestPorts } from '../../support/ports.ts'
import { SPOKEN } from '../../support/scripted-engine.ts'
import { silence, wavBytes } from '../../support/speak.ts'
import { stored, TENANT } from './jobs.ts'
import { bursts, deliver, deliverAll, leftovers, ONE, objectsOf, queueJob } from './recordings.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

interface Trouble {
  readonly bytes?: Uint8Array
  readonly settings?: Partial<TestPorts['settings']>
  readonly before?: (job: Job) => unknown
  readonly broken?: (times: number) => Partial<TestPorts>
}

const enospc = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
const busy = new VerbatimError('storage-unavailable', 'The database is busy.')

/** How a job comes to each of its ends, with the real decoder wherever the decoder is to blame. */
const TROUBLES: ReadonlyArray<readonly [ErrorCode, string, Trouble]> = [
  ['bad-audio', 'a header that promises sound and nothing after it', { bytes: ONE.subarray(0, 44) }],
  ['empty-audio', 'no sound in the file', { bytes: wavBytes(silence(0)) }],
  ['unsupported-audio', 'a file of text', { bytes: Buffer.from('To whom it may concern. '.repeat(99)) }],
  ['too-long', 'more sound than is allowed', { settings: { maxDurationMs: 500 } }],
  ['decode-timeout', 'no time', { settings: { decodeTimeoutMs: 0, decodeTimeoutPerMbMs: 0 } }],
  ['recording-missing', 'a lost file', { before: (job) => ports.objects.remove([uploadKey(job)]) }],
  ['engine-missing', 'no engine', { before: () => ports.engine.fail('engine-missing', { times: 9 }) }],
  ['model-missing', 'no model', { before: () => ports.engine.fail('model-missing', { times: 9 }) }],
  ['model-corrupt', 'a bad model', { before: () => ports.engine.fail('model-corrupt', { times: 9 }) }],
  ['engine-crashed', 'crashes', { before: () => ports.engine.fail('engine-crashed', { times: 9 }) }],
  ['engine-timeout', 'endless loops', { before: () => ports.engine.fail('engine-timeout', { times: 9 }) }],
  ['internal', 'our own faults', { before: () => ports.engine.fail(new Error(SPOKEN), { times: 9 }) }],
  [
    'disk-full',
    'no space for results',
    { broken: (times) => ({ objects: failing(ports.objects, 'put', enospc, { times }) }) },
  ],
  [
    'storage-unavailable',
    'a store that is away',
    { broken: (times) => ({ objects: failing(ports.objects, 'toFile', busy, { times }) }) },
  ],
]

async function troubled({ bytes = ONE, before, settings, broken }: Trouble) {
  const job = await queueJob(ports, bytes)
  await before?.(job)
  const there = { ...ports, ...broken?.(9), settings: { ...ports.settings, ...settings } }
  return { job, there }
}

describe('a job', () => {
  it.each(TROUBLES)('ends as FAILED with %s after %s', async (code, _, trouble) => {
    const { job, there } = await troubled(trouble)
    const outcomes = await deliverAll(there, job)

    // A lasting error fails the job at once; a passing one only when it does not pass.
    const attempts = ERRORS[code].retry ? ports.settings.maxFailures : 1
    expect(outcomes).toEqual([...Array(attempts - 1).fill('again'), 'failed'])
    expect(await stored(ports, job)).toMatchObject({ status: 'FAILED', error: { code } })
    const status = JobStatus.parse(await readStatus(ports)(TENANT, job.jobId))
    expect(status).toMatchObject({
      ...{ status: 'FAILED', progress: 0 },
      error: { code, message: expect.stringMatching(/^[A-Z].{10,}\.$/), hint: ERRORS[code].hint },
    })
    expect(JSON.stringify(status)).not.toContain(SPOKEN)
    // Nothing half-done stays; the recording does, for whoever wants to know why.
    expect((await objectsOf(ports, job)).filter((key) => key !== 'uploads/')).toEqual([])
    expect(await leftovers(ports)).toEqual([])
  })

  it.each(TROUBLES.filter(([code]) => ERRORS[code].retry))(
    'that met %s once (%s) is transcribed at the next attempt, and its owner sees only that',
    async (_, __, { before, broken }) => {
      const job = await queueJob(ports, ONE)
      if (before) await before(job)
      const there = { ...ports, ...broken?.(1) }
      expect(await deliver(there, job)).toBe('again')
      const between = await readStatus(ports)(TENANT, job.jobId)
      expect(between).toMatchObject({ status: 'PROCESSING' })
      expect(between).not.toHaveProperty('error')
      // Another engine: the first one would go on failing.
      ports.reset()
      expect(await deliver(ports, job)).toBe('completed')
      expect(await readStatus(ports)(TENANT, job.jobId)).not.toHaveProperty('error')
      expect(await objectsOf(ports, job)).toHaveLength(5)
    },
  )

  it('counts what failed over all attempts, and gives up after so many', async () => {
    const there = { ...ports, settings: { ...ports.settings, maxFailures: 5 } }
    const job = await queueJob(ports, ONE)
    for (let failures = 1; failures < 5; failures++) {
      ports.engine.fail(failures % 2 ? 'engine-crashed' : 'engine-timeout')
      expect(await deliver(there, job)).toBe('again')
      expect(await stored(ports, job)).toMatchObject({ status: 'PROCESSING', failures, attempt: failures })
    }
    ports.engine.fail('engine-timeout')
    expect(await deliver(there, job)).toBe('failed')
    expect(await stored(ports, job)).toMatchObject({ error: { code: 'engine-timeout' } })
  })

  it('waits for nobody after a failed attempt: its lease is given up', async () => {
    const job = await queueJob(ports, ONE)
    ports.engine.fail('engine-crashed')
    await deliver(ports, job)
    expect(await stored(ports, job)).toMatchObject({ lease: { until: ports.clock() } })
  })

  it('goes on after its saved windows when it is tried again', async () => {
    const job = await queueJob(ports)
    ports.engine.fail('engine-crashed', { after: 2 })
    expect(await deliver(ports, job)).toBe('again')
    const [first, second, third, ...rest] = ports.engine.heard.map(({ ms }) => ms)
    expect(rest).toEqual([])
    expect(await deliver(ports, job)).toBe('completed')
    expect(ports.engine.heard.map(({ ms }) => ms)).toEqual([first, second, third, third])
  })
})

describe('the log of a failure', () => {
  it('has the code and where it happened, and not the words of an unforeseen error', async () => {
    const job = await queueJob(ports, ONE)
    ports.engine.fail(new Error(`cannot hear "${SPOKEN}"`), { times: 3 })
    await deliverAll(ports, job)
    const lines = ports.logLines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const unforeseen = lines.filter(({ event }) => event === 'unforeseen error')
    expect(unforeseen).toHaveLength(3)
    for (const line of unforeseen) expect(line).toMatchObject({ jobId: job.jobId, level: 'error' })
    expect(unforeseen[0]!.stack).toMatch(/^at /)
    expect(lines.filter(({ code }) => code === 'internal').map(({ event }) => event)).toEqual([
      ...['attempt failed', 'attempt failed', 'job failed'],
    ])
    expect(ports.logLines.join('\n')).not.toContain(SPOKEN)
  })
})

describe('tidying up', () => {
  it.each(['list', 'remove'] as const)(
    'that fails (%s) harms no COMPLETED job, and is made good by the next delivery',
    async (method) => {
      const job = await queueJob(ports, wavBytes(bursts(1200)))
      const objects = failing(ports.objects, method, busy)
      await expect(deliver({ ...ports, objects }, job)).rejects.toThrow(busy)
      expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED' })
      const published = await objectsOf(ports, job)
      expect(published).toEqual(
        expect.arrayContaining([
          'uploads/',
          ...['json', 'srt', 'txt', 'vtt'].map((it) => `transcripts/.${it}`),
        ]),
      )
      expect(await deliver(ports, job)).toBe('nothing-to-do')
      expect(await objectsOf(ports, job)).toEqual(published.filter((key) => !key.startsWith('work/')))
    },
  )
})
