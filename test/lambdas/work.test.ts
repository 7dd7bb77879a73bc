import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { workHandler } from '../../lambdas/events/work.ts'
import type { Job } from '../../lib/core/job.ts'
import { stored, storeJob, TENANT } from '../core/batch/jobs.ts'
import { ONE, objectsOf, queueJob, THREE } from '../core/batch/recordings.ts'
import { createPorts, type TestPorts } from '../support/ports.ts'
import { failed, sqsEvent } from './samples.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const handle = (messages: unknown[], drain: AbortSignal = new AbortController().signal) =>
  workHandler(ports, { worker: 'w1', drain })(sqsEvent(...messages))

const messageOf = ({ tenant, jobId }: Job) => ({ tenant, jobId })
const errors = () => ports.logLines.filter((line) => JSON.parse(line).level === 'error')

describe('the work queue', () => {
  it('transcribes the jobs it names', async () => {
    const jobs = [await queueJob(ports, ONE), await queueJob(ports, ONE)]
    expect(await handle(jobs.map(messageOf))).toEqual(failed())
    for (const job of jobs) {
      expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED' })
      expect(await objectsOf(ports, job)).toHaveLength(5)
    }
  })

  it('cuts a long recording into shards, and hears those that the shards queue names', async () => {
    const job = await queueJob(ports, THREE)
    const settings = { ...ports.settings, shardMs: 2000 }
    const handler = workHandler({ ...ports, settings }, { worker: 'w1', drain: new AbortController().signal })
    expect(await handler(sqsEvent(messageOf(job)))).toEqual(failed())
    const messages = ports.pending('shards')
    expect(messages).toEqual([0, 1, 2].map((shard) => ({ ...messageOf(job), shard })))
    for (const message of messages) expect(await handler(sqsEvent(message))).toEqual(failed())
    expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED' })
  })

  it('has the message of a shard alone delivered again when that fails', async () => {
    const job = await queueJob(ports, THREE)
    const settings = { ...ports.settings, shardMs: 2000 }
    const handler = workHandler({ ...ports, settings }, { worker: 'w1', drain: new AbortController().signal })
    await handler(sqsEvent(messageOf(job)))
    const messages = ports.pending('shards')
    ports.engine.fail('engine-crashed', { after: 1 })
    // They are heard at the same time, so which one meets the crash is not said.
    const { batchItemFailures } = await handler(sqsEvent(...messages))
    expect(batchItemFailures).toHaveLength(1)
    const again = Number(batchItemFailures[0]!.itemIdentifier.at(-1))
    expect(await handler(sqsEvent(messages[again]))).toEqual(failed())
    expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED' })
  })

  it('has a message delivered again while another worker holds its job, without calling that an error', async () => {
    const held = await storeJob(ports, 'PROCESSING')
    const queued = await queueJob(ports, ONE)
    expect(await handle([held, queued].map(messageOf))).toEqual(failed(0))
    expect(await stored(ports, held)).toEqual(held)
    expect(await stored(ports, queued)).toMatchObject({ status: 'COMPLETED' })
    expect(errors()).toEqual([])
  })

  it('has a message delivered again after a passing error, and not after a lasting one', async () => {
    const job = await queueJob(ports, ONE)
    ports.engine.fail('engine-crashed')
    expect(await handle([messageOf(job)])).toEqual(failed(0))
    ports.engine.fail('model-corrupt')
    expect(await handle([messageOf(job)])).toEqual(failed())
    expect(await stored(ports, job)).toMatchObject({ status: 'FAILED', error: { code: 'model-corrupt' } })
  })

  it('has a message delivered again when the worker is asked to stop', async () => {
    const job = await queueJob(ports, ONE)
    expect(await handle([messageOf(job)], AbortSignal.abort())).toEqual(failed(0))
    expect(await stored(ports, job)).toMatchObject({ status: 'PROCESSING', failures: 0 })
    expect(errors()).toEqual([])
  })

  it.each(['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const)(
    'is done with a message about a job that is %s',
    async (status) => {
      expect(await handle([messageOf(await storeJob(ports, status))])).toEqual(failed())
    },
  )

  it('is done with a message about a job that was erased', async () => {
    expect(await handle([{ tenant: TENANT, jobId: ports.newJobId() }])).toEqual(failed())
  })

  it('names each delivery in its lease, so that a second one is a second worker', async () => {
    const job = await queueJob(ports, ONE)
    ports.engine.block()
    const [one, two] = sqsEvent(messageOf(job), messageOf(job)).Records
    const handler = workHandler(ports, { worker: 'w1', drain: new AbortController().signal })
    const first = handler({ Records: [one!] })
    await ports.engine.whenWaiting(1)
    expect(await stored(ports, job)).toMatchObject({ lease: { owner: expect.stringMatching(/^w1\/.+0$/) } })
    expect(await handler({ Records: [two!] })).toEqual(failed(1))
    ports.engine.release()
    expect(await first).toEqual(failed())
  })

  it.each([
    ['not JSON', '{'],
    ['of another schema', { job: 1 }],
    ['of a tenant that climbs out of its prefix', { tenant: '../x', jobId: '01JD0000000000000000000000' }],
    ['of a shard that is none', { tenant: TENANT, jobId: '01JD0000000000000000000000', shard: '../../0' }],
    ['of an id that is none', { tenant: TENANT, jobId: 'x/../../y' }],
  ])('fails a message that is %s, and that alone', async (_, bad) => {
    const job = await queueJob(ports, ONE)
    expect(await handle([bad, messageOf(job)])).toEqual(failed(0))
    expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED' })
    expect(errors()).toHaveLength(1)
    expect(errors()[0]).not.toContain('../')
  })

  it('looks for a job with its tenant alone: another tenant’s job of that id stays as it is', async () => {
    const job = await queueJob(ports, ONE)
    expect(await handle([{ tenant: 'other', jobId: job.jobId }])).toEqual(failed())
    expect(await stored(ports, job)).toEqual(job)
    expect(await objectsOf(ports, job)).toEqual(['uploads/'])
  })

  it('reads and writes by the names that tenant and id make, whatever else a message says', async () => {
    const job = await queueJob(ports, ONE)
    const theirs = await queueJob(ports, ONE, {})
    await ports.objects.put('uploads/other/secret', 'RIFF', 'audio/wav')
    const crafted = {
      key: 'uploads/other/secret',
      uploadKey: 'uploads/other/secret',
      recording: theirs.jobId,
    }
    expect(await handle([{ ...messageOf(job), ...crafted }])).toEqual(failed())
    expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED' })
    expect(await objectsOf(ports, theirs)).toEqual(['uploads/'])
    expect(await ports.objects.list('transcripts/other/')).toEqual([])
  })

  it.each([
    ['slashes', { tenant: 'acme/../other', jobId: '01JD0000000000000000000000' }],
    ['encoded slashes', { tenant: 'acme%2F..%2Fother', jobId: '01JD0000000000000000000000' }],
    ['a star', { tenant: '*', jobId: '01JD0000000000000000000000' }],
    ['nothing', { tenant: '', jobId: '01JD0000000000000000000000' }],
    ['a separator of keys', { tenant: 'acme#x', jobId: '01JD0000000000000000000000' }],
    ['a list', { tenant: ['acme'], jobId: '01JD0000000000000000000000' }],
    ['a prefix for an id', { tenant: TENANT, jobId: '' }],
    ['a folder for an id', { tenant: TENANT, jobId: '01JD0000000000000000000000/' }],
  ])('refuses a message whose parts could make another key: %s', async (_, crafted) => {
    expect(await handle([crafted])).toEqual(failed(0))
    expect(errors()).toHaveLength(1)
  })
})
