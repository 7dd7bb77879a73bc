import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { requestUpload } from '../../../lib/core/batch/1-upload.ts'
import { acceptUpload } from '../../../lib/core/batch/2-accept.ts'
import { listJobs, readStatus } from '../../../lib/core/batch/6-status.ts'
import { JobList, JobStatus, UploadRequest } from '../../../lib/core/contract.ts'
import { type Job, type JobIn, STATUSES, type Status } from '../../../lib/core/job.ts'
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

  it('that is PROCESSING in one piece says how fast it goes and how long it takes', async () => {
    const { jobId } = await storeJob(ports, {
      ...STATES.PROCESSING,
      ...{ progress: 0.25, durationMs: 60_000, workMs: 10_000 },
    })
    expect(await status(jobId)).toMatchObject({ progress: 0.25, speed: 1.5, remainingMs: 32_000 })
  })

  it('that is COMPLETED tells what it took, and what is missing', async () => {
    const usage = { audioMs: 4000, workMs: 9000, engineMs: 8000, wallMs: 1000, shards: 12, costUsd: 0.51 }
    const gaps = [{ startMs: 1000, endMs: 2000, channel: 1, code: 'engine-crashed' }]
    const { jobId } = await storeJob(ports, { ...STATES.COMPLETED, usage, gaps })
    expect(await status(jobId)).toMatchObject({ usage, gaps })
  })

  it('that has no gaps says nothing about them', async () => {
    const { jobId } = await storeJob(ports, { ...STATES.COMPLETED, gaps: [] })
    expect(await status(jobId)).not.toHaveProperty('gaps')
  })

  it('that is FAILED tells where', async () => {
    const range = { startMs: 300_000, endMs: 375_000 }
    const { jobId } = await storeJob(ports, {
      ...STATES.FAILED,
      error: { code: 'engine-crashed', message: 'It crashed.', range },
    })
    expect(await status(jobId)).toMatchObject({ error: { code: 'engine-crashed', range } })
  })

  it('of another tenant is as unknown as one that never was', async () => {
    const { jobId } = await storeJob(ports, 'COMPLETED')
    const unknown = { code: 'unknown-job', message: 'There is no such job.' }
    await expect(status(jobId, 'other')).rejects.toMatchObject(unknown)
    await expect(status('01JDZZZZZZZZZZZZZZZZZZZZZZ')).rejects.toMatchObject(unknown)
  })
})

describe('a job whose shards are heard side by side', () => {
  const sharded = async (more: object = {}) =>
    (await storeJob(
      ports,
      {
        ...STATES.PROCESSING,
        ...{ durationMs: 600_000, shards: { total: 8, audioMs: 480_000, sent: true }, ...more },
      },
      { tenant: `shards-${++made}` },
    )) as JobIn<'PROCESSING'>
  const end = (job: JobIn<'PROCESSING'>, shard: number) =>
    ports.shards.end(job, { shard, audioMs: 60_000, workMs: 30_000, engineMs: 29_000 })
  const see = (job: Job) => status(job.jobId, job.tenant)
  let made = 0

  it('tells how many are done, and never goes back', async () => {
    const job = await sharded()
    await ports.shards.begin(job)
    expect(await see(job)).toMatchObject({ progress: 0, shards: { done: 0, total: 8 } })
    let before = 0
    for (const shard of [3, 0, 0, 7, 1, 2, 4, 5, 6]) {
      ports.time.now += 10_000
      await end(job, shard)
      const { progress } = await see(job)
      expect(progress).toBeGreaterThanOrEqual(before)
      expect(progress).toBeLessThan(1)
      before = progress
    }
    expect(await see(job)).toMatchObject({ shards: { done: 8, total: 8 }, remainingMs: 2000 })
  })

  it('tells its speed, and the time that is left', async () => {
    const job = await sharded()
    await ports.shards.begin(job)
    for (const shard of [0, 1, 2, 3]) await end(job, shard)
    ports.time.now += 50_000
    // Half of ten minutes in 50 s.
    expect(await see(job)).toMatchObject({ progress: 0.5, speed: 6, remainingMs: expect.any(Number) })
  })

  it('is seen in the list as it is seen alone', async () => {
    const job = await sharded()
    await ports.shards.begin(job)
    await end(job, 0)
    ports.time.now += 30_000
    const { jobs } = await listJobs(ports)(job.tenant, { limit: 10 })
    expect(jobs).toEqual([await see(job)])
    expect(jobs[0]).toMatchObject({ shards: { done: 1, total: 8 } })
  })

  it('is what its record says where there is no tally', async () => {
    const view = await see(await sharded({ progress: 0.4 }))
    expect(view).toMatchObject({ status: 'PROCESSING', progress: 0.4 })
    expect(view).not.toHaveProperty('shards')
  })

  it('that ends while it is looked at is seen at its end', async () => {
    const job = await sharded()
    const finish = async () => {
      await moveJob(ports, job, () => STATES.COMPLETED)
      await ports.shards.remove(job)
    }
    await ports.shards.begin(job)
    const shards = preceded(ports.shards, 'read', finish)
    const view = await readStatus({ ...ports, shards })(job.tenant, job.jobId)
    expect(view).toMatchObject({ status: 'COMPLETED', progress: 1, downloads: expect.any(Object) })
  })

  it('goes by the pace of the host until something is heard', async () => {
    const job = await sharded()
    await ports.shards.begin(job)
    expect(await see(job)).not.toHaveProperty('remainingMs')
    const pace = async () => ({ workPerAudio: 0.5, workers: 4, startMs: 0 })
    const view = await readStatus({ ...ports, pace })(job.tenant, job.jobId)
    // Two rounds of 30 s, planning, the rest.
    expect(view).toMatchObject({ remainingMs: 60_000 + 1200 + 2000 })
  })

  it('costs a look at its tally, which no other job does', async () => {
    let looked = false
    const shards = preceded(ports.shards, 'read', async () => {
      looked = true
    })
    for (const state of STATUSES) await storeJob(ports, state, { tenant: 'looks' })
    await listJobs({ ...ports, shards })('looks', { limit: 100 })
    expect(looked).toBe(false)
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
