import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createShardStore } from '../../lib/adapters/aws/shard-store.ts'
import type { WorkMessage } from '../../lib/core/batch/messages.ts'
import { sqsEvent } from '../lambdas/samples.ts'
import { readReference, samplePath } from '../support/reference.ts'
import { until } from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'
import { type Deployment, deploy } from './deployment.ts'

// Recordings that are cut: planned by one worker, heard by several, joined by whoever ends the last shard.

/** Of three minutes: some eight shards. */
const SHARD_MS = 20_000
/** Of the time that Lambda leaves a worker, so much is kept for giving back: with hardly more it hears nothing. */
const RESERVE_MS = 30_000

let aws: Deployment
beforeAll(async () => {
  aws = await deploy({ shardMs: SHARD_MS })
})
afterAll(() => aws?.dispose())

async function upload(more: object = {}): Promise<string> {
  const bytes = await readFile(samplePath('meeting180'))
  const request = { filename: 'talk.wav', sizeBytes: bytes.length, language: 'en', ...more }
  const { status, body } = await aws.call('upload', { body: JSON.stringify(request) })
  expect(status).toBe(201)
  expect((await fetch(body.uploadUrl, { method: 'PUT', headers: body.headers, body: bytes })).ok).toBe(true)
  return body.jobId
}

const statusOf = async (jobId: string) => (await aws.call('status', { jobId })).body

const reached = (jobId: string, ...wanted: string[]) =>
  until(async () => {
    const job = await statusOf(jobId)
    return wanted.includes(job.status) ? job : undefined
  }, 150_000)

/** Plans a recording; its shards lie in their queue. */
async function planned(more: object = {}): Promise<{ jobId: string; total: number }> {
  const planner = await aws.startWorkerOn('work')
  try {
    const jobId = await upload(more)
    const { shards } = await until(async () => {
      const job = await statusOf(jobId)
      return job.shards ? job : undefined
    }, 90_000)
    return { jobId, total: shards.total }
  } finally {
    await planner.stop()
  }
}

async function textOf(job: { downloads: { txt: string } }): Promise<string> {
  return (await fetch(job.downloads.txt)).text()
}

const objectsOf = async (jobId: string) =>
  (await aws.bucket.objects.list('')).filter((key) => key.includes(jobId))

const tallyOf = (jobId: string) =>
  createShardStore(aws.table.db, aws.table.table, { recordDays: 1 }).read({ tenant: 'acme', jobId })

const failuresOf = ({ replies }: { replies: ReadonlyArray<{ batchItemFailures: unknown[] }> }) =>
  replies.flatMap(({ batchItemFailures }) => batchItemFailures)

describe('a long recording', () => {
  it('is cut, heard by several container Lambdas and joined, and leaves nothing but its transcript', async () => {
    const workers = [await aws.startWorker(), await aws.startWorkerOn('shards')]
    try {
      const jobId = await upload()
      const job = await reached(jobId, 'COMPLETED', 'FAILED')
      expect(job).toMatchObject({ status: 'COMPLETED', progress: 1 })
      expect(job.usage.shards).toBeGreaterThanOrEqual(6)
      expect(job.usage.costUsd).toBeGreaterThan(0)
      expect(wordErrors(readReference('meeting180').text, await textOf(job)).rate).toBeLessThanOrEqual(0.1)
      for (const { replies } of workers) expect(replies.length).toBeGreaterThan(0)
      await until(async () => ((await tallyOf(jobId)) === undefined ? true : undefined))
      const kinds = (await objectsOf(jobId)).map((key) => key.split('/')[0])
      expect(new Set(kinds)).toEqual(new Set(['transcripts', 'uploads']))
    } finally {
      for (const worker of workers) await worker.stop()
    }
  })

  it('has the same words when shards are announced twice, before and after they are heard', async () => {
    const { jobId, total } = await planned()
    const send = (shard: number) =>
      aws.shards.queue.send(JSON.stringify({ tenant: 'acme', jobId, shard } satisfies WorkMessage))
    for (const shard of [0, 1, total - 1]) await send(shard)
    const [one, two] = [await aws.startWorkerOn('shards'), await aws.startWorkerOn('shards')]
    try {
      const job = await reached(jobId, 'COMPLETED', 'FAILED')
      expect(job).toMatchObject({ status: 'COMPLETED', usage: { shards: total } })
      const text = await textOf(job)
      expect(wordErrors(readReference('meeting180').text, text).rate).toBeLessThanOrEqual(0.1)
      await send(0)
      await until(
        async () => (one.replies.length + two.replies.length >= total + 4 ? true : undefined),
        60_000,
      )
      expect(await textOf(await statusOf(jobId))).toBe(text)
      const left = (await objectsOf(jobId)).filter((key) => key.startsWith('work/'))
      expect(left).toEqual([])
      expect(await tallyOf(jobId)).toBeUndefined()
    } finally {
      for (const worker of [one, two]) await worker.stop()
    }
  })

  it('goes on with other workers where the first have no time left: their shards go back to their own queue', async () => {
    const { jobId, total } = await planned()
    const worker = await aws.startWorkerOn(
      'shards',
      (invocation) => RESERVE_MS + (invocation <= 3 ? 10 : 60_000),
    )
    try {
      const job = await reached(jobId, 'COMPLETED', 'FAILED')
      expect(job).toMatchObject({ status: 'COMPLETED', usage: { shards: total } })
      await until(async () => (worker.replies.length >= total + 3 ? true : undefined))
      expect(worker.replies.length).toBe(total + 3)
      expect(failuresOf(worker)).toEqual([])
    } finally {
      await worker.stop()
    }
  })

  it('that is cancelled is gone, and its shards that come later find nothing to do', async () => {
    const { jobId, total } = await planned()
    expect((await objectsOf(jobId)).filter((key) => key.includes('/sound/'))).toHaveLength(total)
    expect(await aws.call('cancel', { jobId })).toMatchObject({ status: 200, body: { status: 'CANCELLED' } })
    expect(await objectsOf(jobId)).toEqual([])
    expect(await tallyOf(jobId)).toBeUndefined()
    const worker = await aws.startWorkerOn('shards')
    try {
      await until(async () => (worker.replies.length >= total ? true : undefined), 60_000)
      expect(failuresOf(worker)).toEqual([])
      expect(await objectsOf(jobId)).toEqual([])
      expect(await statusOf(jobId)).toMatchObject({ status: 'CANCELLED' })
    } finally {
      await worker.stop()
    }
  })
})

describe('a shard that nobody could hear', () => {
  const dead = (jobId: string, shard: number) =>
    sqsEvent({ tenant: 'acme', jobId, shard } satisfies WorkMessage)

  it('fails its job, and says where', async () => {
    const { jobId } = await planned()
    expect(await aws.deadLetter(dead(jobId, 2))).toEqual({ batchItemFailures: [] })
    const job = await statusOf(jobId)
    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'engine-crashed' } })
    expect(job.error.range.endMs).toBeGreaterThan(job.error.range.startMs)
    expect((await objectsOf(jobId)).filter((key) => key.startsWith('work/'))).toEqual([])
    expect(await tallyOf(jobId)).toBeUndefined()
  })

  it('is a gap where the owner allows that', async () => {
    const { jobId, total } = await planned({ allowPartial: true })
    expect(await aws.deadLetter(dead(jobId, 2))).toEqual({ batchItemFailures: [] })
    const worker = await aws.startWorker()
    try {
      const job = await reached(jobId, 'COMPLETED', 'FAILED')
      expect(job).toMatchObject({
        ...{ status: 'COMPLETED', usage: { shards: total } },
        gaps: [{ code: 'engine-crashed' }],
      })
      expect(failuresOf(worker)).toEqual([])
    } finally {
      await worker.stop()
    }
  })
})

describe('the ECS worker', () => {
  // The last test: what is handed to a poll that SIGTERM ended is hidden for a minute.
  it('takes from both queues: it cuts a long recording and hears its shards', async () => {
    const poller = aws.startPoller()
    try {
      const job = await reached(await upload(), 'COMPLETED', 'FAILED')
      expect(job).toMatchObject({ status: 'COMPLETED' })
      expect(job.usage.shards).toBeGreaterThanOrEqual(6)
    } finally {
      expect(await poller.stop()).toBe(0)
    }
  })
})
