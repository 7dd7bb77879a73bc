import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type Client, completed, createClient } from '../../client-cli/client.ts'
import { cleanUp, type RunningService, startService, tempFolder } from '../support/service.ts'
import { createFaultyProxy, type Fault, type FaultyProxy } from './faulty-proxy.ts'
import { sample } from './run-cli.ts'

// The client against the real service, over a network that fails on demand.

let service: RunningService
let proxy: FaultyProxy
let client: Client
let folder: string

beforeAll(async () => {
  service = await startService({ data: await tempFolder() })
})
afterAll(cleanUp)
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'verbatim-client-'))
  proxy = await createFaultyProxy(service.url)
  const pace = { pauseMs: 10, maxPauseMs: 50, patienceMs: 4000, firstMs: 1000, pollMs: 50, maxPollMs: 200 }
  client = createClient({ url: proxy.url, token: service.token, pace })
  for (const { jobId } of (await client.list({ limit: 100 })).jobs) await client.remove(jobId)
  proxy.seen.length = 0
})
afterEach(async () => {
  await proxy.close()
  rmSync(folder, { recursive: true })
})

/** The fault for the first `times` requests of that kind. */
function failFirst(times: number, method: string, path: RegExp, fault: Fault): void {
  let left = times
  proxy.fault = (m, p) => (m === method && path.test(p) && left-- > 0 ? fault : undefined)
}
const count = (line: RegExp) => proxy.seen.filter((seen) => line.test(seen)).length
const jobIds = async () => (await client.list({})).jobs.map(({ jobId }) => jobId)

describe('a recording', () => {
  it('becomes a transcript, and the progress of its upload ends with its size', async () => {
    const sent: Array<[number, number]> = []
    const seen: string[] = []
    const jobId = await client.upload(
      sample('short.wav'),
      { metadata: { a: 'b' } },
      {
        onProgress: (bytes, total) => sent.push([bytes, total]),
        onJob: (id) => seen.push(id),
      },
    )
    expect(seen).toEqual([jobId])
    const [bytes, total] = sent.at(-1)!
    expect(bytes).toBe(total)
    const job = completed(await client.wait(jobId))
    expect(job).toMatchObject({ filename: 'short.wav', metadata: { a: 'b' }, progress: 1 })
    const text = Buffer.from(await client.download(jobId, 'txt')).toString('utf8')
    expect(text.trim()).not.toBe('')
    expect(JSON.parse(Buffer.from(await client.download(jobId, 'json')).toString('utf8')).text).toContain(
      text.trim(),
    )
  })

  it('may come as a stream', async () => {
    const jobId = await client.upload({ stream: Readable.from([Buffer.from('RIFF')]), filename: 'x.wav' })
    expect(await client.status(jobId)).toMatchObject({ filename: 'x.wav' })
  })

  it('has only the formats that were asked for', async () => {
    const jobId = await client.upload(sample('short.wav'), { formats: ['vtt'] })
    await client.wait(jobId)
    await expect(client.download(jobId, 'srt')).rejects.toMatchObject({
      code: 'bad-request',
      hint: expect.stringContaining('vtt'),
    })
  })
})

describe('a network that fails', () => {
  it('a PUT that breaks midway is sent again from the start', async () => {
    failFirst(2, 'PUT', /./, 'cut')
    const jobId = await client.upload(sample('short.wav'))
    expect(count(/^PUT/)).toBe(3)
    expect((await client.wait(jobId)).status).toBe('COMPLETED')
  })

  it.each([408, 429, 500, 503])('a store that answers %d is asked again', async (status) => {
    failFirst(2, 'PUT', /./, { status })
    await client.upload(sample('short.wav'))
    expect(count(/^PUT/)).toBe(3)
  })

  it('a store that stays away is given up after five tries, and the job is cancelled', async () => {
    failFirst(99, 'PUT', /./, 'cut')
    await expect(client.upload(sample('short.wav'))).rejects.toMatchObject({ code: 'network' })
    expect(count(/^PUT/)).toBe(5)
    expect((await client.list({})).jobs.map(({ status }) => status)).toEqual(['CANCELLED'])
  })

  it('a PUT whose reply is lost is one upload', async () => {
    failFirst(1, 'PUT', /./, 'lose-reply')
    const jobId = await client.upload(sample('short.wav'))
    expect((await client.wait(jobId)).status).toBe('COMPLETED')
    expect(await jobIds()).toEqual([jobId])
  })

  it('a request for an upload whose reply is lost makes one job', async () => {
    failFirst(2, 'POST', /^\/upload$/, 'lose-reply')
    const jobId = await client.upload(sample('short.wav'))
    expect(count(/^POST \/upload$/)).toBe(3)
    expect(await jobIds()).toEqual([jobId])
  })

  it('an expired URL is replaced by a new upload', async () => {
    failFirst(1, 'PUT', /./, {
      status: 403,
      text: '<Code>AccessDenied</Code><Message>Request has expired</Message>',
    })
    const jobs: string[] = []
    const jobId = await client.upload(sample('short.wav'), {}, { onJob: (id) => jobs.push(id) })
    expect(jobs).toHaveLength(2)
    expect(jobs[1]).toBe(jobId)
    expect((await client.status(jobs[0]!)).status).toBe('CANCELLED')
  })

  it('a refusal by the store is not tried again', async () => {
    failFirst(9, 'PUT', /./, { status: 403, text: '<Code>SignatureDoesNotMatch</Code>' })
    await expect(client.upload(sample('short.wav'))).rejects.toMatchObject({ code: 'forbidden' })
    expect(count(/^PUT/)).toBe(1)
  })

  it('an erasure whose reply is lost is an erasure', async () => {
    const jobId = await client.upload(sample('short.wav'))
    failFirst(1, 'DELETE', /./, 'lose-reply')
    await client.remove(jobId)
    await expect(client.remove(jobId)).rejects.toMatchObject({ code: 'unknown-job' })
  })

  it('waiting survives a service that is away for a while', async () => {
    const jobId = await client.upload(sample('short.wav'))
    const from = Date.now()
    proxy.fault = () => (Date.now() - from < 1500 ? 'cut' : undefined)
    expect((await client.wait(jobId)).status).toBe('COMPLETED')
    expect(count(/^GET \/status/)).toBeGreaterThan(3)
  })

  it('waiting for a service that stays away ends with the way back to the job', async () => {
    const jobId = await client.upload(sample('short.wav'))
    proxy.fault = () => 'cut'
    const waiting = client.wait(jobId)
    await expect(waiting).rejects.toMatchObject({
      code: 'network',
      hint: expect.stringContaining(`get ${jobId} --wait`),
    })
  })

  it('a download that breaks is begun again', async () => {
    const jobId = await client.upload(sample('short.wav'))
    await client.wait(jobId)
    let left = 2
    proxy.fault = (method, path) =>
      method === 'GET' && !path.startsWith('/status') && left-- > 0 ? 'lose-reply' : undefined
    expect((await client.download(jobId, 'txt')).length).toBeGreaterThan(0)
  })

  it('a page that is no Verbatim service is called that', async () => {
    proxy.fault = () => ({ status: 200, text: '<html>Welcome</html>' })
    await expect(client.list({})).rejects.toThrow("does not speak Verbatim's language")
  })
})

describe('a recording above 100 MB', () => {
  const SIZE = 100_000_001
  const big = () => {
    const path = join(folder, 'big.wav')
    writeFileSync(path, 'not really sound')
    truncateSync(path, SIZE)
    return path
  }

  it('goes up in parts, and only the one that broke is sent again', async () => {
    failFirst(1, 'PUT', /./, 'cut')
    let last = 0
    const jobId = await client.upload(
      big(),
      {},
      {
        onProgress: (bytes) => {
          last = bytes
        },
      },
    )
    expect(last).toBe(SIZE)
    expect(count(/^PUT/)).toBe(Math.ceil(SIZE / (16 * 1024 ** 2)) + 1)
    expect((await client.wait(jobId)).status).toBe('FAILED')
  })

  it('is complete even when the reply to that is lost', async () => {
    failFirst(1, 'POST', /complete$/, 'lose-reply')
    const jobId = await client.upload(big())
    expect(count(/complete$/)).toBe(2)
    expect((await client.wait(jobId)).status).toBe('FAILED')
  })

  it('is cancelled as a whole when a part cannot be sent', async () => {
    failFirst(99, 'PUT', /./, { status: 403 })
    await expect(client.upload(big())).rejects.toMatchObject({ code: 'forbidden' })
    expect((await client.list({})).jobs.map(({ status }) => status)).toEqual(['CANCELLED'])
  })
})

describe('what ends an upload', () => {
  it('a file that changes meanwhile cancels the job', async () => {
    const path = join(folder, 'talk.wav')
    writeFileSync(path, Buffer.alloc(3_000_000))
    const onProgress = (bytes: number) => {
      if (bytes > 0) appendFileSync(path, 'more')
    }
    await expect(client.upload(path, {}, { onProgress })).rejects.toMatchObject({ code: 'upload-incomplete' })
    expect((await client.list({})).jobs.map(({ status }) => status)).toEqual(['CANCELLED'])
  })

  it('an abort cancels the job and throws its reason', async () => {
    proxy.fault = (method) => (method === 'PUT' ? 'hang' : undefined)
    const stop = new AbortController()
    const onJob = () => setTimeout(() => stop.abort(new Error('enough')), 100)
    await expect(client.upload(sample('short.wav'), {}, { signal: stop.signal, onJob })).rejects.toThrow(
      'enough',
    )
    expect((await client.list({})).jobs.map(({ status }) => status)).toEqual(['CANCELLED'])
  })

  it('an option that the contract refuses sends nothing', async () => {
    await expect(client.upload(sample('short.wav'), { prompt: 'x'.repeat(2001) })).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining('prompt'),
    })
    expect(proxy.seen).toEqual([])
  })

  it('a token that the service does not know', async () => {
    const stranger = createClient({ url: proxy.url, token: 'vb_unknown' })
    await expect(stranger.upload(sample('short.wav'))).rejects.toMatchObject({ code: 'unauthorized' })
  })
})

describe('waiting', () => {
  it('ends when its time is over, with the way back to the job', async () => {
    const jobId = await client.upload(sample('meeting60.wav'))
    const waiting = client.wait(jobId, { timeoutMs: 1 })
    await expect(waiting).rejects.toMatchObject({ code: 'timeout', hint: expect.stringContaining(jobId) })
    expect(await client.cancel(jobId)).toMatchObject({ status: 'CANCELLED' })
  })

  it('a job that is cancelled twice is cancelled', async () => {
    const jobId = await client.upload(sample('meeting60.wav'))
    await client.cancel(jobId)
    expect(await client.cancel(jobId)).toMatchObject({ status: 'CANCELLED' })
  })
})
