import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Download, download } from '../../../lib/adapters/whisper/download.ts'
import { codeOf } from './support.ts'

const CONTENT = randomBytes(300_000)
const ETAG = '"the-one-and-only"'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server of files as it should be: ranges, guarded by If-Range. */
const wellBehaved =
  (content: Buffer, etag: string): Answer =>
  (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const mayResume = request.headers['if-range'] === undefined || request.headers['if-range'] === etag
    if (from >= content.length && from > 0) return void response.writeHead(416).end()
    if (from > 0 && mayResume) {
      const range = `bytes ${from}-${content.length - 1}/${content.length}`
      response.writeHead(206, { etag, 'content-range': range, 'content-length': content.length - from })
      return void response.end(content.subarray(from))
    }
    response.writeHead(200, { etag, 'content-length': content.length }).end(content)
  }

/** Sends the beginning of what `answer` would send, then breaks the connection. */
const broken =
  (bytes: number): Answer =>
  (_request, response) => {
    response.writeHead(200, { etag: ETAG, 'content-length': CONTENT.length })
    response.write(CONTENT.subarray(0, bytes), () => setTimeout(() => response.destroy(), 50))
  }

describe('a download', () => {
  let folder: string
  let target: string
  let server: Server
  /** One for each request; the last one for all that follow. */
  let answers: Answer[]
  let ranges: Array<string | undefined>

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'download-test-'))
    target = join(folder, 'deeper', 'model.bin')
    ranges = []
    server = createServer((request, response) => {
      ranges.push(request.headers.range)
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!
      answer(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })

  const job = (more: Partial<Download> = {}): Download => ({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.bin`,
    target,
    sizeBytes: CONTENT.length,
    checksum: { algorithm: 'sha256', hex: createHash('sha256').update(CONTENT).digest('hex') },
    attempts: 3,
    retryDelayMs: 1,
    ...more,
  })
  const files = async () => (await readdir(join(folder, 'deeper'))).sort()

  it('brings the whole file, says how far it is, and leaves nothing else behind', async () => {
    answers = [wellBehaved(CONTENT, ETAG)]
    const seen: number[] = []
    await download(job({ onProgress: ({ bytes, total }) => seen.push(bytes / total) }))
    expect(CONTENT.equals(await readFile(target))).toBe(true)
    expect(await files()).toEqual(['model.bin'])
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(1)
  })

  it('goes on where the connection broke', async () => {
    answers = [broken(100_000), wellBehaved(CONTENT, ETAG)]
    await download(job())
    expect(CONTENT.equals(await readFile(target))).toBe(true)
    expect(ranges[0]).toBeUndefined()
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/)
  })

  it('goes on where an earlier call stopped', async () => {
    answers = [broken(100_000), (_, response) => response.destroy()]
    expect(await codeOf(download(job()))).toBe('network')
    expect(await files()).toEqual(['model.bin.part', 'model.bin.part.etag'])
    answers = [wellBehaved(CONTENT, ETAG)]
    ranges = []
    await download(job())
    expect(CONTENT.equals(await readFile(target))).toBe(true)
    expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)])
  })

  it('begins anew when the file has changed meanwhile', async () => {
    answers = [broken(100_000), (_, response) => response.destroy()]
    await codeOf(download(job()))
    const other = randomBytes(CONTENT.length)
    answers = [wellBehaved(other, '"another"')]
    const checksum = { algorithm: 'sha256', hex: createHash('sha256').update(other).digest('hex') } as const
    await download(job({ checksum }))
    expect(other.equals(await readFile(target))).toBe(true)
  })

  it('begins anew when what is left of an earlier call is of another file', async () => {
    answers = [broken(100_000), (_, response) => response.destroy()]
    await codeOf(download(job()))
    await writeFile(`${target}.part`, randomBytes(50_000))
    answers = [wellBehaved(CONTENT, ETAG)]
    await download(job())
    expect(CONTENT.equals(await readFile(target))).toBe(true)
  })

  it('copes with a server that ignores ranges', async () => {
    answers = [
      broken(100_000),
      (_, response) => void response.writeHead(200, { 'content-length': CONTENT.length }).end(CONTENT),
    ]
    await download(job())
    expect(CONTENT.equals(await readFile(target))).toBe(true)
  })

  it('waits for a server that is overloaded for a while', async () => {
    const busy: Answer = (_, response) => void response.writeHead(503).end()
    answers = [busy, (_, response) => void response.writeHead(429).end(), wellBehaved(CONTENT, ETAG)]
    await download(job())
    expect(CONTENT.equals(await readFile(target))).toBe(true)
  })

  it('follows a redirect, and resumes behind it', async () => {
    const elsewhere: Answer = (_, response) => void response.writeHead(302, { location: '/cdn' }).end()
    answers = [elsewhere, broken(100_000), elsewhere, wellBehaved(CONTENT, ETAG)]
    await download(job())
    expect(CONTENT.equals(await readFile(target))).toBe(true)
    expect(ranges[3]).toMatch(/^bytes=[1-9]\d*-$/)
  })

  it('notices a connection that stands still', async () => {
    const silent: Answer = (_, response) =>
      void response.writeHead(200, { 'content-length': 10 }).flushHeaders()
    answers = [silent, wellBehaved(CONTENT, ETAG)]
    await download(job({ stallMs: 300 }))
    expect(CONTENT.equals(await readFile(target))).toBe(true)
  })

  it('never gives out wrong bytes, whether as many, fewer or more', async () => {
    const serve = (content: Buffer): Answer[] => [
      (_, response) => void response.writeHead(200, { 'content-length': content.length }).end(content),
    ]
    for (const bytes of [CONTENT.length, 1000, CONTENT.length * 2, 0]) {
      answers = serve(randomBytes(bytes))
      expect(await codeOf(download(job()))).toBe('model-corrupt')
      expect(await files()).toEqual([])
    }
  })

  it('says when the server has no such file, after one look', async () => {
    for (const status of [404, 401, 410]) {
      ranges = []
      answers = [(_, response) => void response.writeHead(status).end('<html>')]
      expect(await codeOf(download(job()))).toBe('model-missing')
      expect(ranges).toHaveLength(1)
    }
  })

  it('gives up after some attempts without a byte', async () => {
    answers = [(_, response) => response.destroy()]
    expect(await codeOf(download(job()))).toBe('network')
    expect(ranges).toHaveLength(3)
  })

  it('can be cancelled, and keeps what has arrived', async () => {
    const cancel = new AbortController()
    answers = [
      (_, response) => {
        response.writeHead(200, { etag: ETAG, 'content-length': CONTENT.length })
        response.write(CONTENT.subarray(0, 100_000))
      },
    ]
    const onProgress = () => setTimeout(() => cancel.abort(), 50)
    expect(await codeOf(download(job({ signal: cancel.signal, onProgress })))).toBe('cancelled')
    expect(await files()).toEqual(['model.bin.part', 'model.bin.part.etag'])
  })

  it('copies from a folder on a closed network', async () => {
    const source = join(folder, 'source.bin')
    await writeFile(source, CONTENT)
    await download(job({ url: pathToFileURL(source).href }))
    expect(CONTENT.equals(await readFile(target))).toBe(true)
    expect(await codeOf(download(job({ url: pathToFileURL(`${source}.not`).href })))).toBe('model-missing')
  })
})
