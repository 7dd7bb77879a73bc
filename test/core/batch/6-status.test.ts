import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { requestUpload } from '../../../lib/core/batch/1-upload.ts'
import { acceptUpload } from '../../../lib/core/batch/2-accept.ts'
import { listJobs, readStatus } from '../../../lib/core/batch/6-status.ts'
import { JobList, JobStatus, UploadRequest } from '../../../lib/core/contract.ts'
import { type JobIn, STATUSES, type Status } from '../../../lib/core/job.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import { moveJob } from '../../../lib/core/move.ts'
import { createPorts, preceded, START, type TestPorts } from '../../support/ports.ts'
import { STATES, stored, storeJob, TENANT } from './jobs.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const status = async (jobId: string, tenant = TENANT) => {
  const view = await readStatus(ports)(tenant, jobId)
  return JobStatus.parse(view) && view
}

const NOON = '2026-01-01T00:00:00.000Z'

/** What each state looks like from outside, besides what all have. */
const VIEWS: Readonly<Record<Status, object>> = {
  UPLOADING: { progress: 0, expiresAt: '2026-01-01T01:00:00.000Z' },
  QUEUED: { progress: 0 },
  PROCESSING: { progress: 0 },
  COMPLETED: {
    ...{ progress: 1, durationMs: 5000, language: 'en', completedAt: '2026-01-01T00:00:01.000Z' },
    downloads: expect.objectContaining({ json: expect.stringContaining('/transcripts/') }),
  },
  FAILED: { progress: 0, error: { code: 'bad-audio', message: 'Broken.', hint: 'Mend it.' } },
  CANCELLED: { progress: 0, error: expect.objectContaining({ code: 'cancelled', hint: expect.any(String) }) },
  EXPIRED: { progress: 0, error: expect.objectContaining({ code: 'upload-expired' }) },
}

describe('the status of a job', () => {
  it.each(STATUSES)('that is %s is what the contract says, and nothing else', async (state) => {
    const metadata = { case: '42' }
    const { jobId } = await storeJob(ports, state, { options: { prompt: 'secret', metadata } })
    expect(await status(jobId)).toEqual({
      ...{ jobId, status: state, filename: 'talk.wav', createdAt: NOON, updatedAt: NOON, metadata },
      ...VIEWS[state],
    })
  })

  it('that is PROCESSING tells what has been found out', async () => {
    const { jobId } = await storeJob(ports, {
      ...STATES.PROCESSING,
      ...{ progress: 0.25, durationMs: 9000, language: 'fr' },
    })
    expect(await status(jobId)).toMatchObject({ progress: 0.25, durationMs: 9000, language: 'fr' })
  })

  it('of another tenant is as unknown as one that never was', async () => {
    const { jobId } = await storeJob(ports, 'COMPLETED')
    const unknown = { code: 'unknown-job', message: 'There is no such job.' }
    await expect(status(jobId, 'other')).rejects.toMatchObject(unknown)
    await expect(status('01JDZZZZZZZZZZZZZZZZZZZZZZ')).rejects.toMatchObject(unknown)
  })
})

describe('downloads', () => {
  const downloadsOf = async (jobId: string) => {
    const view = await status(jobId)
    const { downloads = {} } = view as Extract<JobStatus, { status: 'COMPLETED' }>
    return Object.entries(downloads).map(([format, url]) => {
      const { pathname, searchParams } = new URL(url!)
      return { format, pathname, ...Object.fromEntries(searchParams) } as Record<string, string>
    })
  }

  it.each([[['json']], [['srt', 'txt']], [['json', 'srt', 'vtt', 'txt']]] as const)(
    'are there for what was asked for: %j',
    async (formats) => {
      const { jobId } = await storeJob(ports, 'COMPLETED', { options: { formats: [...formats] } })
      const downloads = await downloadsOf(jobId)
      expect(downloads.map(({ format }) => format)).toEqual(formats)
      for (const { format, pathname, expires } of downloads) {
        expect(pathname).toBe(`/objects/transcripts/${TENANT}/${jobId}.${format}`)
        expect(Number(expires)).toBe(START + ports.settings.downloadTtlMs)
      }
    },
  )

  it('hold an hour from each time they are asked for', async () => {
    const { jobId } = await storeJob(ports, 'COMPLETED')
    ports.time.now += 86_400_000
    for (const { expires } of await downloadsOf(jobId)) expect(Number(expires)).toBe(START + 90_000_000)
  })

  it('have the content type of their format', async () => {
    const { jobId } = await storeJob(ports, 'COMPLETED')
    expect((await downloadsOf(jobId)).map(({ type }) => type)).toEqual([
      ...['application/json', 'application/x-subrip; charset=utf-8'],
      ...['text/vtt; charset=utf-8', 'text/plain; charset=utf-8'],
    ])
  })

  it.each([
    ['interview.m4a', 'interview.srt'],
    ['a.b.c.wav', 'a.b.c.srt'],
    ['no extension', 'no extension.srt'],
    ['.hidden', '.hidden.srt'],
    ['Müller & "Söhne".mp3', 'Müller & "Söhne".srt'],
    ['C:\\Users\\me\\call.wav', 'call.srt'],
    ['/etc/passwd', 'passwd.srt'],
    ['../../up.wav', 'up.srt'],
    ['会議.wav', '会議.srt'],
    ['folder/', 'transcript.srt'],
    ['two\nlines.wav', 'two\nlines.srt'],
  ])('of %j are saved as %j', async (filename, saved) => {
    const { jobId } = await storeJob(ports, 'COMPLETED', { filename, options: { formats: ['srt'] } })
    expect((await downloadsOf(jobId))[0]!.filename).toBe(saved)
  })

  it.each(STATUSES.filter((it) => it !== 'COMPLETED'))('are not there while the job is %s', async (state) => {
    const { jobId } = await storeJob(ports, state)
    expect(await downloadsOf(jobId)).toEqual([])
  })
})

const OVERDUE_MS = 3_600_000 + 3_600_000

describe('an upload that is not made in time', () => {
  const uploading = async (multipart = false) => {
    const request = UploadRequest.parse({ filename: 'x', sizeBytes: 4, multipart })
    const { jobId } = await requestUpload(ports)(TENANT, request)
    return (await ports.jobs.get(TENANT, jobId)) as JobIn<'UPLOADING'>
  }

  it('is waited for until the URL has run out and what began in time may have arrived', async () => {
    const { jobId } = await uploading()
    ports.time.now += OVERDUE_MS - 1
    expect(await status(jobId)).toMatchObject({ status: 'UPLOADING' })
    ports.time.now += 1
    expect(await status(jobId)).toMatchObject({ status: 'EXPIRED', error: { code: 'upload-expired' } })
    expect(await ports.jobs.get(TENANT, jobId)).toMatchObject({ status: 'EXPIRED', version: 2 })
  })

  it('gives up the parts that have arrived', async () => {
    const job = await uploading(true)
    const { uploadId } = job.upload.multipart!
    await ports.objects.writePart(uploadKey(job), uploadId, 1, [Buffer.from('RIFF')])
    ports.time.now += OVERDUE_MS
    await status(job.jobId)
    expect(await ports.objects.listParts(uploadKey(job), uploadId)).toEqual([])
    const late = ports.objects.writePart(uploadKey(job), uploadId, 1, [Buffer.from('RIFF')])
    await expect(late).rejects.toMatchObject({ code: 'not-found' })
  })

  it('ends its job when it is listed, too', async () => {
    const { jobId } = await uploading()
    ports.time.now += OVERDUE_MS
    const { jobs } = await listJobs(ports)(TENANT, { limit: 100 })
    expect(jobs.find((job) => job.jobId === jobId)).toMatchObject({ status: 'EXPIRED' })
  })

  it('but has arrived, its event still on the way, is not lost', async () => {
    const job = await uploading()
    await ports.objects.put(uploadKey(job), 'RIFF', 'audio/wav')
    // The service was off for a day before it could look at its queues.
    ports.time.now += 86_400_000
    expect(await status(job.jobId)).toMatchObject({ status: 'UPLOADING' })
    expect(await ports.objects.head(uploadKey(job))).toBeDefined()
    expect(await acceptUpload(ports)(uploadKey(job))).toBe('queued')
  })

  it('is what it has become, where something else came first', async () => {
    const job = await uploading()
    ports.time.now += OVERDUE_MS
    const jobs = preceded(ports.jobs, 'replace', () => moveJob(ports, job, () => STATES.QUEUED))
    expect(await readStatus({ ...ports, jobs })(TENANT, job.jobId)).toMatchObject({ status: 'QUEUED' })
  })
})

describe('a list', () => {
  it('shows every job of its tenant, newest first, page by page, and none of another', async () => {
    const tenant = 'lister'
    const made: string[] = []
    for (const [i, state] of STATUSES.entries()) {
      ports.time.now = START + i
      made.unshift((await storeJob(ports, state, { tenant })).jobId)
    }
    await storeJob(ports, 'COMPLETED', { tenant: 'lister2' })
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listJobs(ports)(tenant, { limit: 3, ...(cursor && { cursor }) })
      JobList.parse(page)
      expect(page.jobs.length).toBeLessThanOrEqual(3)
      for (const job of page.jobs) expect(job).not.toHaveProperty('downloads')
      seen.push(...page.jobs.map(({ jobId }) => jobId))
      cursor = page.cursor
    } while (cursor)
    expect(seen).toEqual(made)
  })

  it.each(STATUSES)('of what is %s holds all of that and nothing else', async (state) => {
    const tenant = `filter-${state.toLowerCase()}`
    for (const each of [...STATUSES, ...STATUSES]) await storeJob(ports, each, { tenant })
    const { jobs } = await listJobs(ports)(tenant, { status: state, limit: 100 })
    expect(jobs.map((job) => job.status)).toEqual([state, state])
  })

  it('of what is UPLOADING leaves out what has just expired', async () => {
    const tenant = 'late'
    const late = await storeJob(ports, 'UPLOADING', { tenant })
    ports.time.now += OVERDUE_MS
    const fresh = await storeJob(
      ports,
      { ...STATES.UPLOADING, upload: { expiresAt: ports.clock() + 1 } },
      { tenant },
    )
    const { jobs } = await listJobs(ports)(tenant, { status: 'UPLOADING', limit: 100 })
    expect(jobs.map(({ jobId }) => jobId)).toEqual([fresh.jobId])
    expect(await stored(ports, late)).toMatchObject({ status: 'EXPIRED' })
  })
})
