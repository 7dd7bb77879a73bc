import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { chunkKey, sessionPrefix } from '../../lib/core/keys.ts'
import type { ObjectStore, Queue } from '../../lib/core/ports.ts'
import { describeMultipart } from './object-multipart.ts'
import { describePresigned } from './object-presigned.ts'

export interface ObjectStoreUnderTest {
  readonly objects: ObjectStore
  /** Gets an event for each object that is created under `eventPrefix`. */
  readonly events: Queue
  /** Ends in a slash. */
  readonly eventPrefix: string
  /** Only of an emulator: it takes requests without any signature, which a bucket refuses. */
  readonly takesUnsigned?: boolean
  dispose(): Promise<void>
}

/** Opened before the cases run. */
export type Opened = () => ObjectStoreUnderTest

export const md5 = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest('hex')

/** A key that nobody else uses. */
export const freshKey = (name = 'x') => `test/${randomUUID()}/${name}`

/** What every ObjectStore must do. Keys are random, so that the bucket may be one that others use too. */
export function describeObjectStore(name: string, make: () => Promise<ObjectStoreUnderTest>): void {
  describe(`ObjectStore: ${name}`, () => {
    let made: ObjectStoreUnderTest
    beforeAll(async () => {
      made = await make()
    })
    afterAll(() => made.dispose())
    const opened = () => made

    describeBytes(() => made.objects)
    describePresigned(opened)
    describeMultipart(opened)
  })
}

function describeBytes(objects: () => ObjectStore): void {
  it('gives back the bytes, length, type and tag of what was put', async () => {
    const key = freshKey()
    const body = randomBytes(300_000)
    await objects().put(key, body, 'audio/wav')
    expect(Buffer.from((await objects().get(key))!).equals(body)).toBe(true)
    expect(await objects().head(key)).toEqual({
      key,
      sizeBytes: 300_000,
      contentType: 'audio/wav',
      etag: `"${md5(body)}"`,
    })
  })

  it('stores text as UTF-8, and the empty text', async () => {
    const key = freshKey()
    await objects().put(key, 'Grüße 🎙', 'text/plain; charset=utf-8')
    expect(Buffer.from((await objects().get(key))!).toString()).toBe('Grüße 🎙')
    await objects().put(key, '', 'text/plain')
    expect(await objects().get(key)).toHaveLength(0)
    expect(await objects().head(key)).toMatchObject({ sizeBytes: 0, contentType: 'text/plain' })
  })

  it.each([
    ['of no bytes', 0],
    ['of some', 100_000],
    // S3 takes it in parts of 16 MB.
    ['too large for one request', 40 * 1024 ** 2 + 7],
  ])('stores a stream %s', async (_, length) => {
    const key = freshKey()
    const block = randomBytes(65_521)
    async function* source() {
      for (let at = 0; at < length; at += block.length) yield block.subarray(0, length - at)
    }
    await objects().putStream(key, source(), 'audio/wav')
    expect(await objects().head(key)).toMatchObject({ sizeBytes: length, contentType: 'audio/wav' })
    const wanted = createHash('md5')
    for await (const bytes of source()) wanted.update(bytes)
    expect(md5((await objects().get(key))!)).toBe(wanted.digest('hex'))
  })

  it.each([100, 20 * 1024 ** 2])('stores nothing of a stream that fails after %d bytes', async (length) => {
    const key = freshKey()
    async function* source() {
      yield Buffer.alloc(length)
      throw new Error('it breaks off')
    }
    await expect(objects().putStream(key, source(), 'audio/wav')).rejects.toThrow()
    expect(await objects().head(key)).toBeUndefined()
  })

  it('knows nothing of a key that was never put', async () => {
    const key = freshKey()
    expect(await objects().get(key)).toBeUndefined()
    expect(await objects().head(key)).toBeUndefined()
    expect(await objects().toFile(key)).toBeUndefined()
  })

  it('keeps the last of several objects under one key', async () => {
    const key = freshKey()
    for (const body of ['one', 'two', 'three']) await objects().put(key, body, 'text/plain')
    expect(Buffer.from((await objects().get(key))!).toString()).toBe('three')
  })

  it('tells keys apart by every letter, also by case', async () => {
    const key = freshKey('Name')
    await objects().put(key, 'upper', 'text/plain')
    expect(await objects().get(key.replace('Name', 'name'))).toBeUndefined()
  })

  it.each([
    ['blanks and signs', 'a b+c&d=e?f#g%20h"\'<>|*:'],
    ['letters of other scripts', 'Zürich/東京/🎙.wav'],
    ['a name that climbs', 'a/../b'],
    ['a name as long as S3 allows', 'x'.repeat(970)],
    ['only a slash at the end', 'folder/'],
  ])('takes %s in a key as text', async (_, name) => {
    const key = freshKey(name)
    await objects().put(key, name, 'text/plain')
    expect(Buffer.from((await objects().get(key))!).toString()).toBe(name)
    expect(await objects().list(key)).toEqual([key])
    await objects().remove([key])
    expect(await objects().get(key)).toBeUndefined()
  })

  it('lists what begins with a prefix, in order, and nothing else', async () => {
    const root = freshKey('')
    const names = ['b/2', 'b/1', 'b', 'a_x', 'a%x', 'aXx', 'b/é', 'b0']
    for (const name of names) await objects().put(root + name, '', 'text/plain')
    expect(await objects().list(`${root}b/`)).toEqual([`${root}b/1`, `${root}b/2`, `${root}b/é`])
    expect(await objects().list(`${root}a_`)).toEqual([`${root}a_x`])
    expect(await objects().list(`${root}a%`)).toEqual([`${root}a%x`])
    expect(await objects().list(`${root}c`)).toEqual([])
  })

  it('lists the sound of a session in order, and nothing of one whose id begins alike', async () => {
    const root = freshKey('live/acme/')
    const ref = { tenant: 'acme', sessionId: 'meet:abc~1.x' }
    const key = (seq: number, sessionId = ref.sessionId) =>
      chunkKey({ ...ref, sessionId }, { seq, post: '01J-a' }).replace('live/acme/', root)
    for (const seq of [10, 9, 1, 12_345_678]) await objects().put(key(seq), `${seq}`, 'audio/webm')
    for (const id of ['meet:abc~1', 'meet:abc~1.x2', 'Meet:abc~1.x']) {
      await objects().put(key(1, id), 'x', 'audio/webm')
    }
    const prefix = sessionPrefix(ref).replace('live/acme/', root)
    const listed = await objects().list(prefix)
    expect(listed).toEqual([1, 9, 10, 12_345_678].map((seq) => key(seq)))
    expect(Buffer.from((await objects().get(listed[1]!))!).toString()).toBe('9')
  })

  it('removes many keys at once and does not mind unknown ones', async () => {
    const keys = [freshKey(), freshKey(), freshKey()]
    for (const key of keys) await objects().put(key, 'x', 'text/plain')
    await objects().remove([keys[0]!, freshKey(), keys[1]!])
    expect(await Promise.all(keys.map((key) => objects().get(key).then(Boolean)))).toEqual([
      false,
      false,
      true,
    ])
    await objects().remove([])
  })

  it('holds a file for whoever asked for it, even when the object goes', async () => {
    const key = freshKey()
    await objects().put(key, 'first', 'text/plain')
    const file = (await objects().toFile(key))!
    await objects().put(key, 'second', 'text/plain')
    await objects().remove([key])
    expect(await readFile(file.path, 'utf8')).toBe('first')
    await file.release()
    await expect(stat(file.path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('gives a reader one whole version while writers replace it', async () => {
    const key = freshKey()
    const version = (n: number) => Buffer.alloc(200_000, n)
    await objects().put(key, version(0), 'application/octet-stream')
    const writing = (async () => {
      for (let n = 1; n <= 20; n++) await objects().put(key, version(n), 'application/octet-stream')
    })()
    for (let n = 0; n < 40; n++) {
      const bytes = Buffer.from((await objects().get(key))!)
      expect(bytes.equals(version(bytes[0]!))).toBe(true)
    }
    await writing
  })
}
