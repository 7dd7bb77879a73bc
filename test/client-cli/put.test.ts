import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { put } from '../../client-cli/put.ts'
import { openSource, type Source, spoolSource } from '../../client-cli/source.ts'

// A bare HTTP server stands for S3, which this code meets in the open.

const SIZE = 3_000_000
const bytes = Buffer.from(Uint8Array.from({ length: SIZE }, (_, i) => i % 251))

let folder: string
let server: http.Server
let url: string
let handle: (request: http.IncomingMessage, response: http.ServerResponse) => void
let source: Source | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'verbatim-put-'))
  writeFileSync(join(folder, 'talk.wav'), bytes)
  server = http.createServer((request, response) => handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/key?X-Amz-Signature=secret`
})
afterEach(async () => {
  await source?.close()
  source = undefined
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})

async function talk(): Promise<Source> {
  source = await openSource(join(folder, 'talk.wav'))
  return source
}
const whole = { start: 0, length: SIZE }
const options = { stallMs: 5000 }

async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

describe('a PUT of a recording', () => {
  it('sends the bytes with the headers it was given, the length, and nothing of its own', async () => {
    let seen: { headers: http.IncomingHttpHeaders; body: Buffer } | undefined
    handle = async (request, response) => {
      seen = { headers: request.headers, body: await bodyOf(request) }
      response.setHeader('ETag', '"e1"').end()
    }
    const sent: number[] = []
    const target = { url, headers: { 'Content-Type': 'audio/wav', 'Content-Length': String(SIZE) } }
    const reply = await put(target, await talk(), whole, { ...options, onSent: (n) => sent.push(n) })
    expect(reply).toMatchObject({ status: 200, headers: { etag: '"e1"' } })
    expect(seen!.body.equals(bytes)).toBe(true)
    const { host, connection, ...headers } = seen!.headers
    expect(headers).toEqual({ 'content-type': 'audio/wav', 'content-length': String(SIZE) })
    expect(sent.at(-1)).toBe(SIZE)
    expect(sent).toEqual([...sent].sort((a, b) => a - b))
  })

  it('sends one part of the file', async () => {
    let body: Buffer | undefined
    handle = async (request, response) => {
      body = await bodyOf(request)
      response.end()
    }
    await put({ url, headers: {} }, await talk(), { start: 1_000_000, length: 700_000 }, options)
    expect(body!.equals(bytes.subarray(1_000_000, 1_700_000))).toBe(true)
  })

  it('tells only of bytes that the socket took: a reader that stops reading stops the count', async () => {
    const big = 64_000_000
    writeFileSync(join(folder, 'talk.wav'), Buffer.alloc(big))
    handle = (request) => request.pause()
    let last = 0
    const stalled = put(
      { url, headers: {} },
      await talk(),
      { start: 0, length: big },
      {
        stallMs: 500,
        onSent: (n) => {
          last = n
        },
      },
    )
    await expect(stalled).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('ETIMEDOUT'),
    })
    expect(last).toBeGreaterThan(0)
    expect(last).toBeLessThan(big / 2)
  })

  it('takes a refusal that comes before the body is through', async () => {
    handle = (_, response) =>
      response.writeHead(403, { connection: 'close' }).end('<Code>AccessDenied</Code>')
    const reply = await put({ url, headers: {} }, await talk(), whole, options).catch((error) => error)
    // The connection may break before the refusal is read; that is tried again, like any broken connection.
    expect(reply.status === 403 ? reply.text : reply.code).toMatch(/AccessDenied|network/)
  })

  it('names a connection that breaks midway as such, without the signed URL', async () => {
    handle = (request) => request.once('data', () => request.socket.destroy())
    const error = await put({ url, headers: {} }, await talk(), whole, options).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'network' })
    expect(`${error.message}${error.hint}`).not.toContain('secret')
  })

  it('stops at once when it is aborted', async () => {
    const stop = new AbortController()
    handle = (request) => request.once('data', () => stop.abort(new Error('enough')))
    const sending = put({ url, headers: {} }, await talk(), whole, { ...options, signal: stop.signal })
    await expect(sending).rejects.toThrow('enough')
  })

  it.each([
    ['grows', (path: string) => appendFileSync(path, 'more')],
    ['shrinks', (path: string) => truncateSync(path, 1_500_000)],
    ['is rewritten', (path: string) => writeFileSync(path, Buffer.alloc(SIZE, 1))],
  ])('never ends well for a file that %s meanwhile: the store must not keep a mixture', async (_, change) => {
    let arrived = 0
    handle = async (request, response) => {
      try {
        arrived = (await bodyOf(request)).length
        response.end()
      } catch {
        // Broken off, as it should be.
      }
    }
    const talking = await talk()
    let changed = false
    const sending = put({ url, headers: {} }, talking, whole, {
      ...options,
      onSent: () => {
        if (!changed) change(join(folder, 'talk.wav'))
        changed = true
      },
    })
    await expect(sending).rejects.toMatchObject({ code: 'upload-incomplete' })
    expect(arrived).toBe(0)
  })

  it('goes on when the file is deleted meanwhile', async () => {
    let body: Buffer | undefined
    handle = async (request, response) => {
      body = await bodyOf(request)
      response.end()
    }
    const talking = await talk()
    unlinkSync(join(folder, 'talk.wav'))
    await put({ url, headers: {} }, talking, whole, options)
    expect(body!.equals(bytes)).toBe(true)
  })
})

describe('what can be uploaded', () => {
  it('a missing file, a directory and an empty file are told apart', async () => {
    writeFileSync(join(folder, 'empty.wav'), '')
    await expect(openSource(join(folder, 'gone.wav'))).rejects.toMatchObject({ code: 'not-found' })
    await expect(openSource(folder)).rejects.toMatchObject({ code: 'bad-request' })
    await expect(openSource('/dev/null')).rejects.toMatchObject({ code: 'bad-request' })
    await expect(openSource(join(folder, 'empty.wav'))).rejects.toMatchObject({ code: 'empty-audio' })
  })

  it('a stream is kept in a temporary file, which is gone afterwards', async () => {
    const before = process.listenerCount('exit')
    source = await spoolSource(Readable.from([bytes.subarray(0, 10), bytes.subarray(10, 300)]), 'talk.mp3')
    expect(source).toMatchObject({ filename: 'talk.mp3', contentType: 'audio/mpeg', sizeBytes: 300 })
    const pieces: Buffer[] = []
    for await (const piece of source.read(0, 300)) pieces.push(Buffer.from(piece))
    expect(Buffer.concat(pieces).equals(bytes.subarray(0, 300))).toBe(true)
    await source.close()
    source = undefined
    expect(process.listenerCount('exit')).toBe(before)
  })

  it('an empty stream is an empty recording', async () => {
    await expect(spoolSource(Readable.from([]), 'stdin')).rejects.toMatchObject({ code: 'empty-audio' })
  })
})
