import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { deadLetterHandler } from '../../lambdas/events/dead-letter.ts'
import { type Job, STATUSES } from '../../lib/core/job.ts'
import { uploadKey } from '../../lib/core/keys.ts'
import { LEASED_UNTIL, STATES, stored, storeJob, TENANT } from '../core/batch/jobs.ts'
import { createPorts, failing, type TestPorts } from '../support/ports.ts'
import { failed, S3_TEST_EVENT, s3Message, s3Record, sqsEvent } from './samples.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const handle = (...messages: unknown[]) => deadLetterHandler(ports)(sqsEvent(...messages))
const messageOf = ({ tenant, jobId }: Job) => ({ tenant, jobId })
const statusOf = async (job: Job) => (await stored(ports, job))?.status
const ABANDONED = { status: 'FAILED', error: { code: 'engine-crashed' } }

describe('a dead letter', () => {
  it('of the work queue ends its job', async () => {
    const job = await storeJob(ports, 'QUEUED')
    expect(await handle(messageOf(job))).toEqual(failed())
    expect(await stored(ports, job)).toMatchObject(ABANDONED)
  })

  it.each([
    [false, 'FAILED', []],
    [true, 'PROCESSING', ['work']],
  ] as const)(
    'of the shards queue ends its shard (allowPartial %s), and what that means for the job',
    async (allowPartial, status, told) => {
      const shards = { total: 3, audioMs: 9000, sent: true }
      const job = await storeJob(ports, { ...STATES.PROCESSING, shards }, { options: { allowPartial } })
      await ports.shards.begin(job)
      expect(await handle({ ...messageOf(job), shard: 1 })).toEqual(failed())
      expect(await statusOf(job)).toBe(status)
      expect(ports.pending('work')).toEqual(told.map(() => messageOf(job)))
      const tally = await ports.shards.read(job)
      expect(tally?.failed).toEqual(allowPartial ? [{ shard: 1, code: 'engine-crashed' }] : undefined)
    },
  )

  it('of the uploads queue ends all jobs it names', async () => {
    const jobs = [await storeJob(ports, 'UPLOADING'), await storeJob(ports, 'UPLOADING')]
    const message = s3Message(...jobs.map((job) => s3Record(encodeURIComponent(uploadKey(job)))))
    expect(await handle(message)).toEqual(failed())
    for (const job of jobs) expect(await stored(ports, job)).toMatchObject(ABANDONED)
  })

  it.each(STATUSES.filter((status) => !['UPLOADING', 'QUEUED', 'PROCESSING'].includes(status)))(
    'about a job that is %s changes nothing',
    async (status) => {
      const job = await storeJob(ports, status)
      expect(await handle(messageOf(job))).toEqual(failed())
      expect(await stored(ports, job)).toEqual(job)
    },
  )

  it('about a job that was erased is done with', async () => {
    expect(await handle({ tenant: TENANT, jobId: ports.newJobId() })).toEqual(failed())
  })

  it('about a job that is worked on waits until the worker has ended it, or is dead', async () => {
    const job = await storeJob(ports, 'PROCESSING')
    expect(await handle(messageOf(job))).toEqual(failed(0))
    expect(await stored(ports, job)).toEqual(job)
    expect(ports.logLines).toEqual([])
    ports.time.now = LEASED_UNTIL
    expect(await handle(messageOf(job))).toEqual(failed())
    expect(await stored(ports, job)).toMatchObject(ABANDONED)
  })

  it.each([
    ['not JSON', 'S3CRET {'],
    ['empty', ''],
    ['another schema', { hello: 'S3CRET' }],
    ['null', 'null'],
    ['a list', '[1]'],
    ['the test message of S3', S3_TEST_EVENT],
    ['a key that is no upload', s3Message(s3Record('S3CRET/x'))],
    ['a key that cannot be read', s3Message(s3Record('uploads/S3CRET%'))],
    ['a tenant that climbs', { tenant: '../S3CRET', jobId: '01JD0000000000000000000000' }],
  ])('that names no job (%s) is logged without its words and done with', async (_, rubbish) => {
    const job = await storeJob(ports, 'QUEUED')
    expect(await handle(rubbish, messageOf(job))).toEqual(failed())
    expect(await statusOf(job)).toBe('FAILED')
    const lines = ports.logLines.map((line) => JSON.parse(line) as { event: string })
    expect(lines.map(({ event }) => event).toSorted()).toEqual([
      ...['dead letter names no job', 'job abandoned'],
    ])
    expect(ports.logLines.join()).not.toContain('S3CRET')
  })

  it.each([
    ['work', (job: Job) => ({ tenant: 'other', jobId: job.jobId })],
    ['uploads', (job: Job) => s3Message(s3Record(`uploads/other/${job.jobId}`))],
    ['uploads, encoded', (job: Job) => s3Message(s3Record(`uploads/other%2F..%2Facme%2F${job.jobId}`))],
  ])('with a crafted name (%s) ends no other tenant’s job', async (_, messageFor) => {
    const job = await storeJob(ports, 'QUEUED')
    expect(await handle(messageFor(job))).toEqual(failed())
    expect(await stored(ports, job)).toEqual(job)
  })

  it('that cannot be handled now is tried again, and that alone', async () => {
    const [first, last] = [await storeJob(ports, 'QUEUED'), await storeJob(ports, 'QUEUED')]
    const applies = (_: string, jobId: string) => jobId === first.jobId
    const jobs = failing(ports.jobs, 'get', new Error('down'), { applies })
    const event = sqsEvent(messageOf(first), messageOf(last))
    expect(await deadLetterHandler({ ...ports, jobs })(event)).toEqual(failed(0))
    expect([await statusOf(first), await statusOf(last)]).toEqual(['QUEUED', 'FAILED'])
  })
})
