import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { acceptUpload } from '../../../lib/core/batch/2-accept.ts'
import { cancelJob, eraseJob } from '../../../lib/core/batch/erase.ts'
import { takeJob } from '../../../lib/core/batch/lease.ts'
import { WorkMessage } from '../../../lib/core/batch/messages.ts'
import type { Job, Status } from '../../../lib/core/job.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import { createPorts, failing, type TestPorts } from '../../support/ports.ts'
import { stored, storeJob, TENANT } from './jobs.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

/** A job in a state, its four bytes arrived. */
async function arrived(status: Status, bytes = 'RIFF'): Promise<Job> {
  const job = await storeJob(ports, status)
  await ports.objects.put(uploadKey(job), bytes, 'audio/wav')
  return job
}

const accept = (job: Job) => acceptUpload(ports)(uploadKey(job))
const isThere = async (job: Job) => (await ports.objects.head(uploadKey(job))) !== undefined

describe('a recording that has arrived', () => {
  it('makes its job QUEUED and tells a worker which one', async () => {
    const job = await arrived('UPLOADING')
    expect(await accept(job)).toBe('queued')
    const { upload: _, ...rest } = job as Extract<Job, { status: 'UPLOADING' }>
    expect(await stored(ports, job)).toEqual({ ...rest, status: 'QUEUED', version: 2 })
    expect(ports.pending('work')).toEqual([{ tenant: TENANT, jobId: job.jobId }])
    expect(WorkMessage.parse(ports.pending('work')[0])).toEqual({ tenant: TENANT, jobId: job.jobId })
    expect(await isThere(job)).toBe(true)
  })

  it('announced twice is one job, and at worst two messages about it', async () => {
    const job = await arrived('UPLOADING')
    const outcomes = await Promise.all([accept(job), accept(job)])
    expect(outcomes).toEqual(['queued', 'queued'])
    expect(await stored(ports, job)).toMatchObject({ status: 'QUEUED', version: 2 })
  })

  it('is announced to the worker again when the first message was never sent', async () => {
    const job = await arrived('UPLOADING')
    const work = failing(ports.work, 'send', new Error('killed here'))
    await expect(acceptUpload({ ...ports, work })(uploadKey(job))).rejects.toThrow('killed here')
    expect(await stored(ports, job)).toMatchObject({ status: 'QUEUED' })
    expect(ports.pending('work')).toEqual([])
    expect(await accept(job)).toBe('queued')
    expect(ports.pending('work')).toHaveLength(1)
    expect(await stored(ports, job)).toMatchObject({ status: 'QUEUED', version: 2 })
  })

  it.each([
    ['larger than', 3, 'uploads'],
    ['as large as', 4, 'work'],
  ] as const)('%s what the usual workers can hold goes to those that can', async (_, fromBytes, queue) => {
    const job = await arrived('UPLOADING')
    ports.db.sql.exec('DELETE FROM messages')
    // The test's queue of uploads stands for that of the long recordings.
    const longWork = { queue: ports.uploads, fromMs: 1, fromBytes }
    expect(await acceptUpload({ ...ports, longWork })(uploadKey(job))).toBe('queued')
    expect([ports.pending('work'), ports.pending('uploads')].flat()).toHaveLength(1)
    expect(ports.pending(queue)).toEqual([{ tenant: TENANT, jobId: job.jobId }])
  })

  it.each(['PROCESSING', 'COMPLETED', 'FAILED'] as const)(
    'whose job is %s changes nothing: the event came twice',
    async (status) => {
      const job = await arrived(status)
      expect(await accept(job)).toBe('already-past')
      expect(await stored(ports, job)).toEqual(job)
      expect(await isThere(job)).toBe(true)
      expect(ports.pending('work')).toEqual([])
    },
  )

  it.each(['CANCELLED', 'EXPIRED'] as const)('whose job is %s is deleted', async (status) => {
    const job = await arrived(status)
    expect(await accept(job)).toBe('already-past')
    expect(await stored(ports, job)).toEqual(job)
    expect(await isThere(job)).toBe(false)
    expect(ports.pending('work')).toEqual([])
  })

  it('whose job has been erased, or never was, is deleted', async () => {
    const job = await arrived('UPLOADING')
    await ports.jobs.remove(TENANT, job.jobId)
    expect(await accept(job)).toBe('unknown-job')
    expect(await isThere(job)).toBe(false)
    expect(ports.pending('work')).toEqual([])
  })

  it.each([
    ['shorter', 'RIF'],
    ['longer', 'RIFFF'],
    ['empty', ''],
  ])('and is %s than announced fails its job and is deleted', async (_, bytes) => {
    const job = await arrived('UPLOADING', bytes)
    expect(await accept(job)).toBe('wrong-size')
    expect(await stored(ports, job)).toMatchObject({
      status: 'FAILED',
      error: { code: 'bad-audio', message: `${bytes.length} bytes arrived where 4 were announced.` },
    })
    expect(await isThere(job)).toBe(false)
    expect(ports.pending('work')).toEqual([])
    expect(await accept(job)).toBe('already-past')
  })

  it('cancelled before its event came is never worked on', async () => {
    const job = await storeJob(ports, 'UPLOADING')
    await cancelJob(ports)(TENANT, job.jobId)
    await ports.objects.put(uploadKey(job), 'RIFF', 'audio/wav')
    expect(await accept(job)).toBe('already-past')
    expect(await isThere(job)).toBe(false)
    expect(ports.pending('work')).toEqual([])
  })

  it('cancelled after its event came is past for the worker that is told', async () => {
    const job = await arrived('UPLOADING')
    await accept(job)
    await cancelJob(ports)(TENANT, job.jobId)
    expect(await takeJob(ports, job, 'w')).toMatchObject({ outcome: 'past' })
    expect(await isThere(job)).toBe(false)
  })

  it('erased after its event came is gone for the worker that is told', async () => {
    const job = await arrived('UPLOADING')
    await accept(job)
    await eraseJob(ports)(TENANT, job.jobId)
    expect(await takeJob(ports, job, 'w')).toEqual({ outcome: 'gone' })
    expect(await isThere(job)).toBe(false)
  })
})

describe('an event', () => {
  it('of an object that is not there (yet) leaves its job waiting', async () => {
    const job = await storeJob(ports, 'UPLOADING')
    expect(await accept(job)).toBe('already-past')
    expect(await stored(ports, job)).toEqual(job)
  })

  it.each([
    'transcripts/acme/01JD0000000000000000000000.json',
    'uploads/acme/../other/01JD0000000000000000000000',
    'uploads/acme/01JD0000000000000000000000/x',
    'uploads/acme/not-a-job',
    'uploads/__proto__/01JD0000000000000000000000',
    'uploads/',
    '',
  ])('of a key that is no upload touches nothing: %j', async (key) => {
    if (key.startsWith('transcripts/')) await ports.objects.put(key, '{}', 'application/json')
    expect(await acceptUpload(ports)(key)).toBe('not-an-upload')
    if (key.startsWith('transcripts/')) expect(await ports.objects.head(key)).toBeDefined()
    expect(ports.pending('work')).toEqual([])
  })
})
