import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ErrorReply } from '../../../lib/core/contract.ts'
import { temporaryObjects } from './objects.ts'

describe('the objects of one machine over HTTP', () => {
  let made: Awaited<ReturnType<typeof temporaryObjects>>
  beforeAll(async () => {
    made = await temporaryObjects()
  })
  afterAll(() => made.dispose())

  const files = () => readdirSync(join(made.dataDir, 'objects', 'data')).length
  const signPut = (key: string, sizeBytes: number, expiresAt = Date.now() + 60_000) =>
    made.objects.presignPut({ key, contentType: 'audio/wav', sizeBytes, expiresAt })
  const signGet = (key: string, filename = 'x.txt') =>
    made.objects.presignGet({ key, contentType: 'text/plain', filename, expiresAt: Date.now() + 60_000 })

  /** Sends bytes as they are, and returns all that comes back until the connection ends. */
  async function raw(url: string, bytes: string): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.end(bytes)
    return text(socket)
  }

  it('stores nothing of an upload that breaks off', async () => {
    const before = files()
    const { url } = await signPut('uploads/broken', 1_000_000)
    const { pathname, search, port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      `PUT ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\nContent-Length: 1000000\r\n\r\n`,
    )
    socket.write(Buffer.alloc(300_000))
    while (files() === before) await sleep(5)
    socket.destroy()
    while (files() > before) await sleep(5)
    expect(await made.objects.head('uploads/broken')).toBeUndefined()
    expect(await made.events.receive({ max: 1, visibilityMs: 1000, waitMs: 0 })).toEqual([])
  })

  it('lets an upload end that began before its URL expired', async () => {
    const { url, method, headers } = await signPut('slow', 8, Date.now() + 400)
    const sending = request(url, { method, headers: { ...headers, 'content-length': 8 } })
    sending.write('half')
    await sleep(800)
    const status = new Promise((resolve) => sending.once('response', (reply) => resolve(reply.statusCode)))
    sending.end('half')
    expect(await status).toBe(200)
    expect(await made.objects.head('slow')).toMatchObject({ sizeBytes: 8 })
  })

  it('refuses an upload without its length', async () => {
    const { url, method, headers } = await signPut('chunked', 4)
    const sending = request(url, { method, headers: { ...headers, 'transfer-encoding': 'chunked' } })
    const reply = new Promise((resolve) => sending.once('response', (res) => resolve(res.statusCode)))
    sending.end('data')
    expect(await reply).toBe(400)
    expect(await made.objects.head('chunked')).toBeUndefined()
  })

  it('tells a client that sends too much why, although it is still sending', async () => {
    const { url, method, headers } = await signPut('long', 4)
    const reply = await fetch(url, { method, headers, body: Buffer.alloc(20_000_000) })
    expect(reply.status).toBe(403)
    expect(ErrorReply.parse(await reply.json()).error.message).toBe('The URL is for 4 bytes.')
  })

  it('takes an upload of nothing', async () => {
    const { url, method, headers } = await signPut('nothing', 0)
    expect((await fetch(url, { method, headers, body: '' })).status).toBe(200)
    expect(await made.objects.head('nothing')).toMatchObject({ sizeBytes: 0 })
    const download = await fetch((await signGet('nothing')).url)
    expect([download.status, download.headers.get('content-length')]).toEqual([200, '0'])
  })

  it('answers errors as the contract says, and logs neither the URL nor its name', async () => {
    const { url } = await signGet('not there', 'secret name.txt')
    const reply = await fetch(url)
    expect(ErrorReply.parse(await reply.json()).error).toMatchObject({ code: 'not-found' })
    expect(made.logLines.join()).not.toContain('secret')
    const expired = await signPut('x', 4, Date.now() - 1)
    const refused = await fetch(expired.url, { ...expired, body: 'data' })
    expect(ErrorReply.parse(await refused.json()).error).toMatchObject({
      code: 'forbidden',
      message: 'The URL has expired.',
      hint: expect.stringContaining('new'),
    })
  })

  it.each([
    '/objects/',
    '/objects/%',
    '/objects/%E0%A4%A?expires=1&signature=x',
    '/objects/../../etc/passwd',
    '/objects/a?expires=99999999999999',
    '/objects/a?expires=99999999999999&signature=',
    '/objects/a?expires=99999999999999&signature=AAAA',
    '//objects/a?signature=AAAA',
    '/other/a',
  ])('refuses what nobody has signed: %s', async (target) => {
    const { url } = await signGet('a')
    const reply = await raw(url, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    expect(reply).toMatch(/^HTTP\/1\.1 403 /)
  })

  it('refuses a signed URL to which something was added', async () => {
    await made.objects.put('a', 'a', 'text/plain')
    const { url } = await signGet('a')
    expect((await fetch(url)).status).toBe(200)
    for (const bad of [`${url}&type=text/html`, url.replace('?', '?type=text%2Fhtml&'), `${url}A`]) {
      expect((await fetch(bad)).status).toBe(403)
    }
  })

  it('keeps browsers from guessing, caching or showing what they download', async () => {
    await made.objects.put('a', 'a', 'text/plain')
    const reply = await fetch((await signGet('a')).url)
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'content-disposition': `attachment; filename="x.txt"; filename*=UTF-8''x.txt`,
    })
  })

  it('answers HEAD, and a client that has the object already, without a body', async () => {
    await made.objects.put('a', 'abc', 'text/plain')
    const { url } = await signGet('a')
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', ''])
    const etag = head.headers.get('etag')!
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304)
    const resumed = await fetch(url, { headers: { range: 'bytes=1-', 'if-range': '"other"' } })
    expect([resumed.status, await resumed.text()]).toEqual([200, 'abc'])
  })

  it('tells a browser of another origin what it may send, and refuses other methods', async () => {
    const { url } = await signPut('a', 4)
    const preflight = await fetch(url, { method: 'OPTIONS' })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT')
    expect((await fetch(url, { method: 'POST', body: 'data' })).status).toBe(405)
  })
})
