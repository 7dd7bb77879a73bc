import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readReference, type SampleName, samplePath } from '../support/reference.ts'
import { until } from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'
import { type Deployment, deploy } from './deployment.ts'

// Both kinds of worker: recordings longer than 100 s are for those on GPUs.

let aws: Deployment
beforeAll(async () => {
  aws = await deploy({ longFromMs: 100_000 })
})
afterAll(() => aws?.dispose())

async function upload(sample: SampleName): Promise<string> {
  const bytes = await readFile(samplePath(sample))
  const request = { filename: 'talk.wav', sizeBytes: bytes.length, language: 'en' }
  const { body } = await aws.call('upload', { body: JSON.stringify(request) })
  expect((await fetch(body.uploadUrl, { method: 'PUT', headers: body.headers, body: bytes })).ok).toBe(true)
  return body.jobId
}

const statusOf = async (jobId: string) => (await aws.call('status', { jobId })).body

/**
 * The job that waits for a GPU worker, left as it is. A message that an emulator hands to a poll which SIGTERM has ended
 * is hidden for a minute.
 */
const waitingForGpu = () =>
  until(async () => {
    const [message] = await aws.longWork!.queue.receive({ max: 1, visibilityMs: 1, waitMs: 500 })
    return message && (JSON.parse(message.body).jobId as string)
  }, 90_000)

async function endsOnGpu(jobId: string, sample: SampleName): Promise<void> {
  const poller = aws.startPoller()
  try {
    const job = await until(async () => {
      const found = await statusOf(jobId)
      return ['COMPLETED', 'FAILED'].includes(found.status) ? found : undefined
    }, 150_000)
    expect(job).toMatchObject({ status: 'COMPLETED' })
    const text = await (await fetch(job.downloads.txt)).text()
    expect(wordErrors(readReference(sample).text, text).rate).toBeLessThanOrEqual(0.1)
  } finally {
    expect(await poller.stop()).toBe(0)
  }
}

const workFilesOf = async (jobId: string) =>
  (await aws.bucket.objects.list('work/')).filter((key) => key.includes(jobId))

describe('a recording', () => {
  it('that is long is left to the GPU worker before a word of it is heard', async () => {
    const worker = await aws.startWorker()
    try {
      const jobId = await upload('meeting180')
      expect(await waitingForGpu()).toBe(jobId)
      expect(await workFilesOf(jobId)).toEqual([])
      expect(await statusOf(jobId)).toMatchObject({ status: 'PROCESSING', progress: 0 })
      await endsOnGpu(jobId, 'meeting180')
      expect(worker.replies.flatMap((reply) => reply.batchItemFailures)).toEqual([])
    } finally {
      await worker.stop()
    }
  })

  it('that is short and takes the CPU worker too long goes on with the GPU worker', async () => {
    // The reserve is 30 s: one second to work.
    const worker = await aws.startWorker(() => 31_000)
    try {
      const jobId = await upload('meeting60')
      expect(await waitingForGpu()).toBe(jobId)
      expect(worker.replies.flatMap((reply) => reply.batchItemFailures)).toEqual([])
      await endsOnGpu(jobId, 'meeting60')
    } finally {
      await worker.stop()
    }
  }, 300_000)
})
