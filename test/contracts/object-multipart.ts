import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { PartRef } from '../../lib/core/ports.ts'
import { freshKey, md5, type Opened } from './object-store.ts'
import { nextEvent } from './s3-events.ts'

/** The least that a part may have, but for the last. */
const PART_BYTES = 5 * 1024 * 1024

/** Uploads in parts. */
export function describeMultipart(opened: Opened): void {
  const start = (key: string) => opened().objects.startMultipart({ key, contentType: 'video/mp4' })

  async function send(key: string, uploadId: string, partNumber: number, body: Buffer): Promise<PartRef> {
    const { url, method, headers } = await opened().objects.presignPart({
      key,
      uploadId,
      partNumber,
      sizeBytes: body.length,
      expiresAt: Date.now() + 3_600_000,
    })
    const reply = await fetch(url, { method, headers, body: new Uint8Array(body) })
    expect(reply.status).toBe(200)
    return { partNumber, etag: reply.headers.get('etag')! }
  }

  describe('an upload in parts', () => {
    it('joins the parts in their order, whatever the order of their arrival', async () => {
      const { objects, events, eventPrefix } = opened()
      const key = eventPrefix + freshKey()
      const bodies = [randomBytes(PART_BYTES), randomBytes(PART_BYTES + 1), randomBytes(1000)]
      const uploadId = await start(key)
      for (const n of [2, 0, 1]) await send(key, uploadId, n + 1, bodies[n]!)
      const parts = await objects.listParts(key, uploadId)
      expect(parts).toEqual(
        bodies.map((body, n) => ({ partNumber: n + 1, etag: `"${md5(body)}"`, sizeBytes: body.length })),
      )
      expect(await objects.head(key)).toBeUndefined()

      await objects.completeMultipart(key, uploadId, parts)
      expect(Buffer.from((await objects.get(key))!).equals(Buffer.concat(bodies))).toBe(true)
      const digest = createHash('md5')
      for (const body of bodies) digest.update(md5(body), 'hex')
      const eTag = `${digest.digest('hex')}-3`
      const size = 2 * PART_BYTES + 1001
      expect(await objects.head(key)).toEqual({
        key,
        sizeBytes: size,
        contentType: 'video/mp4',
        etag: `"${eTag}"`,
      })
      const event = { eventName: 'ObjectCreated:CompleteMultipartUpload', key, size, eTag }
      expect(await nextEvent(events, key)).toEqual(event)

      await objects.completeMultipart(key, uploadId, parts)
      expect(await objects.head(key)).toMatchObject({ sizeBytes: size })
    })

    it('takes the last of two parts with one number', async () => {
      const key = freshKey()
      const uploadId = await start(key)
      await send(key, uploadId, 1, Buffer.from('first try'))
      const part = await send(key, uploadId, 1, Buffer.from('second'))
      await opened().objects.completeMultipart(key, uploadId, [part])
      expect(Buffer.from((await opened().objects.get(key))!).toString()).toBe('second')
    })

    it('is not complete without its parts, in order, each as it was sent', async () => {
      const { objects } = opened()
      const key = freshKey()
      const uploadId = await start(key)
      const one = await send(key, uploadId, 1, randomBytes(PART_BYTES))
      const two = await send(key, uploadId, 2, Buffer.from('two'))
      const wrong = { partNumber: 2, etag: `"${md5('something else')}"` }
      const missing = { partNumber: 3, etag: two.etag }
      for (const parts of [[], [two, one], [one, wrong], [one, two, missing]]) {
        await expect(objects.completeMultipart(key, uploadId, parts)).rejects.toMatchObject({
          code: 'upload-incomplete',
        })
      }
      expect(await objects.head(key)).toBeUndefined()
      await objects.completeMultipart(key, uploadId, [one, two])
      expect(await objects.head(key)).toMatchObject({ sizeBytes: PART_BYTES + 3 })
    })

    it('refuses a short part that is not the last', async () => {
      const key = freshKey()
      const uploadId = await start(key)
      const parts = [
        await send(key, uploadId, 1, Buffer.from('short')),
        await send(key, uploadId, 2, Buffer.from('last')),
      ]
      await expect(opened().objects.completeMultipart(key, uploadId, parts)).rejects.toMatchObject({
        code: 'upload-incomplete',
      })
    })

    it('is gone when it is aborted', async () => {
      const { objects } = opened()
      const key = freshKey()
      const uploadId = await start(key)
      const part = await send(key, uploadId, 1, Buffer.from('data'))
      await objects.abortMultipart(key, uploadId)
      await objects.abortMultipart(key, uploadId)
      expect(await objects.listParts(key, uploadId)).toEqual([])
      await expect(objects.completeMultipart(key, uploadId, [part])).rejects.toMatchObject({
        code: 'upload-incomplete',
      })
      expect(await objects.head(key)).toBeUndefined()
    })

    it('takes no part once it is gone', async () => {
      const { objects } = opened()
      const key = freshKey()
      const uploadId = await start(key)
      await objects.abortMultipart(key, uploadId)
      const { url, method } = await objects.presignPart({
        key,
        uploadId,
        partNumber: 1,
        sizeBytes: 4,
        expiresAt: Date.now() + 3_600_000,
      })
      expect((await fetch(url, { method, body: 'data' })).status).toBe(404)
    })
  })
}
