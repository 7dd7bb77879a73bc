import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { failAbandoned } from '../../../lib/core/batch/abandoned.ts'
import { transcriptKey, uploadKey, workKey } from '../../../lib/core/keys.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { LEASED_UNTIL, OWNER, stored, storeJob, TENANT } from './jobs.ts'
import { deliver, ONE, objectsOf, queueJob } from './recordings.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

describe('a job that nobody could bring further', () => {
  it.each(['UPLOADING', 'QUEUED', 'PROCESSING'] as const)(
    'ends as FAILED when it was %s, and only its recording is kept',
    async (status) => {
      const job = await storeJob(ports, status)
      for (const key of [uploadKey(job), workKey(job, '0-0-1.json')])
        await ports.objects.put(key, 'x', 'text/plain')
      ports.time.now = LEASED_UNTIL
      expect(await failAbandoned(ports)(job)).toBe('failed')
      expect(await stored(ports, job)).toMatchObject({
        status: 'FAILED',
        error: { code: 'engine-crashed', message: expect.any(String), hint: expect.any(String) },
      })
      expect(await objectsOf(ports, job)).toEqual(['uploads/'])
    },
  )

  it.each([
    ['COMPLETED', 'but work files', ['transcripts/.srt']],
    ['EXPIRED', 'but work files', ['transcripts/.srt']],
    // A worker has died, or its store was away, before it could remove what has no owner.
    ['FAILED', 'but work files and those of a half-written transcript', []],
    ['CANCELLED', 'but what a worker has written since', []],
  ] as const)('stays %s, with all it has %s', async (status, _, kept) => {
    const job = await storeJob(ports, status)
    for (const key of [transcriptKey(job, 'srt'), workKey(job, '0-0-1.json')])
      await ports.objects.put(key, 'x', 'text/plain')
    expect(await failAbandoned(ports)(job)).toBe('past')
    expect(await stored(ports, job)).toEqual(job)
    expect(await objectsOf(ports, job)).toEqual(kept)
  })

  it('and has been erased is gone', async () => {
    expect(await failAbandoned(ports)({ tenant: TENANT, jobId: ports.newJobId() })).toBe('gone')
  })
})

describe('a job that somebody works on', () => {
  it('is not failed by a second message about it that has died', async () => {
    const job = await storeJob(ports, 'PROCESSING')
    await ports.objects.put(workKey(job, '0-0-1.json'), 'x', 'text/plain')
    ports.time.now = LEASED_UNTIL - 1
    expect(await failAbandoned(ports)(job)).toBe('busy')
    expect(await stored(ports, job)).toEqual(job)
    expect(await objectsOf(ports, job)).toHaveLength(1)
  })

  it('can be failed by the one who works on it', async () => {
    const job = await storeJob(ports, 'PROCESSING')
    expect(await failAbandoned(ports)(job, { by: OWNER })).toBe('failed')
  })

  it('is failed by its worker when it was taken too often', async () => {
    const job = await queueJob(ports, ONE)
    const settings = { ...ports.settings, maxAttempts: 2 }
    for (const outcome of ['again', 'again', 'failed']) {
      // Twice the worker is stopped in the middle.
      expect(await deliver({ ...ports, settings }, job, AbortSignal.abort())).toBe(outcome)
    }
    expect(ports.engine.heard).toEqual([])
    expect(await stored(ports, job)).toMatchObject({ status: 'FAILED', error: { code: 'engine-crashed' } })
  })
})
