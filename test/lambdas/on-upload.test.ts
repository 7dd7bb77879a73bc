import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { onUploadHandler, S3Message } from '../../lambdas/events/on-upload.ts'
import { objectCreated } from '../../lib/adapters/local/s3-event.ts'
import { uploadKey } from '../../lib/core/keys.ts'
import { stored, storeJob } from '../core/batch/jobs.ts'
import { createPorts, failing, type TestPorts } from '../support/ports.ts'
import { failed, S3_TEST_EVENT, s3Message, s3Record, sqsEvent } from './samples.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

async function arrived() {
  const job = await storeJob(ports, 'UPLOADING')
  await ports.objects.put(uploadKey(job), 'RIFF', 'audio/wav')
  return job
}

const statusOf = async (job: Awaited<ReturnType<typeof arrived>>) => (await stored(ports, job))?.status
const DONE = failed()

describe('the keys in a message of S3', () => {
  it.each([
    ['ObjectCreated:Put', 'a', ['a']],
    ['ObjectCreated:CompleteMultipartUpload', 'a', ['a']],
    ['ObjectCreated:Post', 'a', ['a']],
    ['ObjectCreated:Copy', 'a', ['a']],
    // As notifications are configured; some stores that speak S3 send it so.
    ['s3:ObjectCreated:Put', 'a', ['a']],
    ['ObjectRemoved:Delete', 'a', []],
    ['ObjectRemoved:DeleteMarkerCreated', 'a', []],
    ['ObjectRestore:Completed', 'a', []],
    ['LifecycleExpiration:Delete', 'a', []],
    ['ObjectCreated:Put', 'uploads/acme/my+file%2Bone%26two.wav', ['uploads/acme/my file+one&two.wav']],
    ['ObjectCreated:Put', 'uploads/M%C3%BCller', ['uploads/Müller']],
    ['ObjectCreated:Put', 'uploads/%2e%2e/x', ['uploads/../x']],
    // S3 never writes this; it must not stop the message.
    ['ObjectCreated:Put', 'uploads/100%', ['uploads/100%']],
    ['ObjectCreated:Put', 'uploads/%ff', ['uploads/%ff']],
  ])('%s of %j: %j', (eventName, key, keys) => {
    expect(S3Message.parse(s3Message(s3Record(key, eventName)))).toEqual(keys)
  })

  it('are all that it names, in order', () => {
    const message = s3Message(s3Record('a'), s3Record('b', 'ObjectRemoved:Delete'), s3Record('c'))
    expect(S3Message.parse(message)).toEqual(['a', 'c'])
  })

  it('are none in the test message', () => {
    expect(S3Message.parse(S3_TEST_EVENT)).toEqual([])
  })

  it.each(['uploads/acme/my file+one&two.wav', "uploads/(it's) Müller! 100%.wav", 'uploads/a/~b*c'])(
    'of the local store are read back: %j',
    (key) => {
      const info = { key, sizeBytes: 1, contentType: 'audio/wav', etag: '"x"' }
      expect(S3Message.parse(JSON.parse(objectCreated(info, 'Put', 0)))).toEqual([key])
    },
  )
})

describe('the uploads queue', () => {
  it('makes jobs of recordings, all of several records and messages', async () => {
    const jobs = [await arrived(), await arrived(), await arrived()]
    const keys = jobs.map(uploadKey).map(encodeURIComponent)
    const [a, b, c] = keys as [string, string, string]
    const event = sqsEvent(
      s3Message(s3Record(a), s3Record(b, 'ObjectCreated:CompleteMultipartUpload')),
      s3Message(s3Record(c)),
    )
    expect(await onUploadHandler(ports)(event)).toEqual(DONE)
    expect(await Promise.all(jobs.map(statusOf))).toEqual(['QUEUED', 'QUEUED', 'QUEUED'])
    expect(ports.pending('work')).toHaveLength(3)
  })

  it.each([
    ['the test message', S3_TEST_EVENT],
    ['no records', s3Message()],
    ['an object that is no upload', s3Message(s3Record('transcripts/acme/x.json'))],
    ['a key that cannot be read', s3Message(s3Record('uploads/100%'))],
    ['a removal', s3Message(s3Record('uploads/acme/01JD0000000000000000000000', 'ObjectRemoved:Delete'))],
  ])('is done at once with %s', async (_, message) => {
    expect(await onUploadHandler(ports)(sqsEvent(message))).toEqual(DONE)
    expect(ports.pending('work')).toEqual([])
  })

  it('takes nothing for an upload because somebody removed it', async () => {
    const job = await arrived()
    await onUploadHandler(ports)(sqsEvent(s3Message(s3Record(uploadKey(job), 'ObjectRemoved:Delete'))))
    expect(await statusOf(job)).toBe('UPLOADING')
  })

  it.each([
    ['not JSON', '{"Records":'],
    ['empty', ''],
    ['another schema', { tenant: 'acme', jobId: '01JD0000000000000000000000' }],
    ['null', 'null'],
    ['a record without a key', { Records: [{ eventName: 'ObjectCreated:Put', s3: { object: {} } }] }],
  ])('fails a message that is %s, and that alone', async (_, bad) => {
    const [first, last] = [await arrived(), await arrived()]
    const good = [first, last].map((job) => s3Message(s3Record(uploadKey(job))))
    const reply = await onUploadHandler(ports)(sqsEvent(good[0], bad, good[1]))
    expect(reply).toEqual(failed(1))
    expect([await statusOf(first), await statusOf(last)]).toEqual(['QUEUED', 'QUEUED'])
    expect(ports.logLines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({ event: 'message failed', messageId: expect.stringMatching(/1$/) }),
    ])
  })

  it('fails only the message whose job could not be stored, and the next delivery makes it good', async () => {
    const [first, last] = [await arrived(), await arrived()]
    const event = sqsEvent(...[first, last].map((job) => s3Message(s3Record(uploadKey(job)))))
    const applies = ({ jobId }: { jobId: string }) => jobId === last.jobId
    const jobs = failing(ports.jobs, 'replace', new Error('S3CRET'), { applies })
    expect(await onUploadHandler({ ...ports, jobs })(event)).toEqual(failed(1))
    expect(await statusOf(first)).toBe('QUEUED')
    expect(ports.logLines.join()).not.toContain('S3CRET')
    expect(await onUploadHandler(ports)({ Records: [event.Records[1]!] })).toEqual(DONE)
    expect(await statusOf(last)).toBe('QUEUED')
  })

  it('logs ids and outcomes, no keys', async () => {
    const job = await arrived()
    await onUploadHandler(ports)(sqsEvent(s3Message(s3Record(uploadKey(job)))))
    const [line] = ports.logLines.map((it) => JSON.parse(it) as unknown)
    expect(line).toMatchObject({ event: 'upload arrived', code: 'queued', messageId: expect.any(String) })
    expect(JSON.stringify(line)).not.toContain('uploads/')
  })

  it.each([
    ['another tenant’s prefix before this job’s id', (id: string) => `uploads/other/${id}`],
    ['a way up and down again', (id: string) => `uploads/other/../acme/${id}`],
    ['the same, its slashes encoded', (id: string) => `uploads/other%2F..%2Facme%2F${id}`],
    ['the same, encoded twice', (id: string) => `uploads/other%252F..%252Facme%252F${id}`],
    ['a folder more', (id: string) => `uploads/acme/x/${id}`],
    ['something behind the id', (id: string) => `uploads/acme/${id}/x`],
    ['an id in small letters', (id: string) => `uploads/acme/${id.toLowerCase()}`],
    ['a space, as S3 writes it', (id: string) => `uploads/acme/+${id}`],
    ['a NUL', (id: string) => `uploads/acme/${id}%00`],
    ['letters that look alike', (id: string) => `uploads/%D0%B0cme/${id}`],
  ])('queues no job for a crafted key: %s', async (_, keyOf) => {
    const job = await arrived()
    const message = s3Message(s3Record(keyOf(job.jobId)))
    expect(await onUploadHandler(ports)(sqsEvent(message))).toEqual(DONE)
    expect(await stored(ports, job)).toEqual(job)
    expect(ports.pending('work')).toEqual([])
  })

  it('queues the job of the tenant in the key, whoever has one of the same id', async () => {
    const job = await arrived()
    const theirs = await storeJob(ports, 'UPLOADING', { jobId: job.jobId, tenant: 'other' })
    await onUploadHandler(ports)(sqsEvent(s3Message(s3Record(uploadKey(job)))))
    expect([await statusOf(job), await statusOf(theirs)]).toEqual(['QUEUED', 'UPLOADING'])
    expect(ports.pending('work')).toEqual([{ tenant: 'acme', jobId: job.jobId }])
  })

  it('takes duplicates and late events as they come', async () => {
    const job = await arrived()
    const event = sqsEvent(s3Message(s3Record(uploadKey(job))), s3Message(s3Record(uploadKey(job))))
    expect(await onUploadHandler(ports)(event)).toEqual(DONE)
    expect(await statusOf(job)).toBe('QUEUED')
    const done = await storeJob(ports, 'COMPLETED')
    expect(await onUploadHandler(ports)(sqsEvent(s3Message(s3Record(uploadKey(done)))))).toEqual(DONE)
    expect(await stored(ports, done)).toEqual(done)
  })

  it('of no messages has no failures', async () => {
    expect(await onUploadHandler(ports)({ Records: [] })).toEqual(DONE)
  })
})
