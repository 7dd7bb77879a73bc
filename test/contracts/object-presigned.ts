import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { freshKey, md5, type Opened } from './object-store.ts'
import { nextEvent } from './s3-events.ts'

const HOUR_MS = 3_600_000
const inAnHour = () => Date.now() + HOUR_MS

/** URLs by which a client talks to the store itself. Real HTTP, as a client speaks it. */
export function describePresigned(opened: Opened): void {
  const put = (key: string, sizeBytes: number, contentType = 'audio/wav', expiresAt = inAnHour()) =>
    opened().objects.presignPut({ key, contentType, sizeBytes, expiresAt })
  const get = (key: string, filename: string, contentType = 'text/plain', expiresAt = inAnHour()) =>
    opened().objects.presignGet({ key, contentType, filename, expiresAt })
  const stored = (key: string) => opened().objects.get(key)

  describe('a presigned upload', () => {
    it('stores what is sent as it was announced', async () => {
      const key = freshKey('Ton aufnahme+1.wav')
      const body = randomBytes(500_000)
      const { url, method, headers } = await put(key, body.length)
      const reply = await fetch(url, { method, headers, body })
      expect([reply.status, reply.headers.get('etag')]).toEqual([200, `"${md5(body)}"`])
      expect(Buffer.from((await stored(key))!).equals(body)).toBe(true)
      expect(await opened().objects.head(key)).toMatchObject({ contentType: 'audio/wav', sizeBytes: 500_000 })
    })

    it.each([
      ['fewer bytes', 'x'.repeat(99), { 'content-type': 'audio/wav' }],
      ['more bytes', 'x'.repeat(101), { 'content-type': 'audio/wav' }],
      ['another content type', 'x'.repeat(100), { 'content-type': 'text/html' }],
    ])('refuses %s than were announced', async (_, body, headers) => {
      const key = freshKey()
      const { url, method } = await put(key, 100)
      expect((await fetch(url, { method, headers, body })).status).toBe(403)
      expect(await stored(key)).toBeUndefined()
    })

    it('refuses another key, another method and a broken signature', async () => {
      const key = freshKey('mine')
      const { url, method, headers } = await put(key, 4)
      const other = url.replace('/mine?', '/yours?')
      const broken = url.replace(/ignature=./, (text) => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A'))
      const unsigned = opened().takesUnsigned ? [] : [url.split('?')[0]!]
      for (const bad of [other, broken, ...unsigned]) {
        expect((await fetch(bad, { method, headers, body: 'data' })).status).toBe(403)
      }
      expect((await fetch(url)).status).toBe(403)
      expect((await fetch(url, { method: 'DELETE' })).ok).toBe(false)
      expect(await opened().objects.list(key.replace('mine', ''))).toEqual([])
    })

    it('refuses a URL that has expired', async () => {
      const key = freshKey()
      const { url, method, headers } = await put(key, 4, 'audio/wav', Date.now() - 2000)
      expect((await fetch(url, { method, headers, body: 'data' })).status).toBe(403)
      expect(await stored(key)).toBeUndefined()
    })

    it('announces each object under the prefix, and its key, size and tag', async () => {
      const { eventPrefix, events } = opened()
      const key = `${eventPrefix}${freshKey('a b+ü(1)~.wav')}`
      const { url, method, headers } = await put(key, 4)
      await fetch(url, { method, headers, body: 'data' })
      expect(await nextEvent(events, key)).toEqual({
        eventName: 'ObjectCreated:Put',
        key,
        size: 4,
        eTag: md5('data'),
      })
    })

    it('takes many uploads at once', async () => {
      const bodies = Array.from({ length: 50 }, (_, n) => randomBytes(20_000 + n))
      const keys = bodies.map(() => freshKey())
      const replies = await Promise.all(
        bodies.map(async (body, n) => {
          const { url, method, headers } = await put(keys[n]!, body.length)
          return fetch(url, { method, headers, body })
        }),
      )
      expect(replies.map(({ status }) => status)).toEqual(bodies.map(() => 200))
      for (const [n, key] of keys.entries()) {
        expect(Buffer.from((await stored(key))!).equals(bodies[n]!)).toBe(true)
      }
    })
  })

  describe('a presigned download', () => {
    it('gives the bytes under the type and name it was signed for', async () => {
      const key = freshKey()
      await opened().objects.put(key, 'WEBVTT', 'application/octet-stream')
      const { url, method, headers } = await get(key, 'Gespräch "1"; 東京.vtt', 'text/vtt; charset=utf-8')
      const reply = await fetch(url, { method, headers })
      expect([reply.status, await reply.text()]).toEqual([200, 'WEBVTT'])
      expect(reply.headers.get('content-type')).toBe('text/vtt; charset=utf-8')
      expect(reply.headers.get('content-length')).toBe('6')
      const disposition = reply.headers.get('content-disposition')!
      expect(disposition).toMatch(/^attachment;/)
      const encoded = /filename\*=UTF-8''(\S+)$/.exec(disposition)![1]!
      expect(decodeURIComponent(encoded)).toBe('Gespräch "1"; 東京.vtt')
    })

    it('gives a part of the bytes', async () => {
      const key = freshKey()
      await opened().objects.put(key, '0123456789', 'text/plain')
      const { url } = await get(key, 'x.txt')
      const ranges = ['bytes=2-4', 'bytes=7-', 'bytes=-2', 'bytes=8-99']
      const replies = await Promise.all(ranges.map((range) => fetch(url, { headers: { range } })))
      expect(replies.map(({ status }) => status)).toEqual([206, 206, 206, 206])
      expect(await Promise.all(replies.map((reply) => reply.text()))).toEqual(['234', '789', '89', '89'])
      expect(replies[0]!.headers.get('content-range')).toBe('bytes 2-4/10')
      expect((await fetch(url, { headers: { range: 'bytes=10-' } })).status).toBe(416)
    })

    it('refuses a URL that has expired or was changed', async () => {
      const key = freshKey()
      await opened().objects.put(key, 'secret', 'text/plain')
      const old = await get(key, 'x.txt', 'text/plain', Date.now() - 2000)
      const { url } = await get(key, 'x.txt')
      for (const bad of [old.url, url.replace('x.txt', 'y.exe'), url.replace('plain', 'html')]) {
        expect((await fetch(bad)).status).toBe(403)
      }
    })

    it('says that an object is not there', async () => {
      const { url } = await get(freshKey(), 'x.txt')
      expect((await fetch(url)).status).toBe(404)
    })

    it('does not upload', async () => {
      const key = freshKey()
      const { url } = await get(key, 'x.txt')
      expect((await fetch(url, { method: 'PUT', body: 'data' })).status).toBe(403)
      expect(await stored(key)).toBeUndefined()
    })
  })
}
