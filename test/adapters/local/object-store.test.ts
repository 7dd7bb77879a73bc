import { readdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createObjectStore } from '../../../lib/adapters/local/object-store.ts'
import { createPresigner } from '../../../lib/adapters/local/presign.ts'
import { temporaryObjects } from './objects.ts'

const DAY_MS = 24 * 3_600_000

describe('the object store of one machine', () => {
  let made: Awaited<ReturnType<typeof temporaryObjects>>
  beforeEach(async () => {
    made = await temporaryObjects()
  })
  afterEach(() => made.dispose())

  const filesIn = (name: string) => readdirSync(join(made.dataDir, 'objects', name))

  it('makes files whose names have nothing of the key', async () => {
    const keys = [
      '../../../etc/passwd',
      '/etc/passwd',
      'con',
      'C:\\x',
      '.',
      '..',
      'a//b',
      '-rf',
      'x'.repeat(1024),
    ]
    for (const key of keys) await made.objects.put(key, key, 'text/plain')
    for (const key of keys) expect(String(Buffer.from((await made.objects.get(key))!))).toBe(key)
    expect(filesIn('data')).toHaveLength(keys.length)
    for (const file of filesIn('data')) expect(file).toMatch(/^[0-9a-f-]{36}$/)
  })

  it.each([
    ['an empty one', ''],
    ['one above 1024 bytes', 'ü'.repeat(513)],
    ['one with a control character', 'a\0b'],
    ['one that is no Unicode', 'a\ud800'],
  ])('refuses a key: %s', async (_, key) => {
    await expect(made.objects.put(key, 'x', 'text/plain')).rejects.toMatchObject({ code: 'bad-request' })
    expect(await made.objects.get(key)).toBeUndefined()
  })

  it('signs no URL for a key that no URL can hold', async () => {
    for (const key of ['a/../b', './a', '..']) {
      const signing = made.objects.presignGet({ key, contentType: 'a/b', filename: 'x', expiresAt: 9e15 })
      await expect(signing).rejects.toMatchObject({ code: 'bad-request' })
    }
  })

  it('deletes the bytes of what was replaced or removed', async () => {
    for (const body of ['one', 'two']) await made.objects.put('a', body, 'text/plain')
    expect(filesIn('data')).toHaveLength(1)
    await made.objects.remove(['a'])
    expect(filesIn('data')).toEqual([])
  })

  it('deletes, at the start, what a crash has left, and nothing else', async () => {
    await made.objects.put('kept', 'kept', 'text/plain')
    await made.objects.toFile('kept')
    const uploadId = await made.objects.startMultipart({ key: 'kept', contentType: 'a/b' })
    await made.objects.writePart('kept', uploadId, 1, [Buffer.from('part')])
    writeFileSync(join(made.dataDir, 'objects', 'data', 'half-written'), 'half')
    expect(await made.objects.sweep()).toEqual({ files: 1, uploads: 0 })
    expect([filesIn('data').length, filesIn('pins').length]).toEqual([2, 0])
    expect(await made.objects.listParts('kept', uploadId)).toHaveLength(1)
    expect(await made.objects.sweep()).toEqual({ files: 0, uploads: 0 })
  })

  it('gives up an upload in parts after a week', async () => {
    let now = Date.now()
    const presigner = createPresigner(Buffer.alloc(32), () => 'http://x')
    const objects = createObjectStore(made.db, { dataDir: made.dataDir, presigner, clock: () => now })
    const uploadId = await objects.startMultipart({ key: 'k', contentType: 'a/b' })
    await objects.writePart('k', uploadId, 1, [Buffer.from('part')])
    now += 7 * DAY_MS
    expect(await objects.sweep()).toEqual({ files: 0, uploads: 0 })
    now += 1
    expect(await objects.sweep()).toEqual({ files: 0, uploads: 1 })
    expect(filesIn('data')).toEqual([])
  })

  it('fails a write whose file was swept, and keeps the object that was there', async () => {
    await made.objects.put('k', 'old', 'text/plain')
    // The sweep of a new host meets the write of a worker that outlived the old one.
    async function* slow() {
      yield Buffer.from('new')
      await made.objects.sweep()
    }
    await expect(made.objects.write('k', 'text/plain', slow())).rejects.toMatchObject({
      code: 'storage-unavailable',
    })
    expect(String(Buffer.from((await made.objects.get('k'))!))).toBe('old')
  })

  it('completes an upload in parts once when it is asked twice at the same time', async () => {
    const key = 'uploads/twice'
    const uploadId = await made.objects.startMultipart({ key, contentType: 'a/b' })
    const etag = await made.objects.writePart(key, uploadId, 1, [Buffer.from('part')])
    const complete = () => made.objects.completeMultipart(key, uploadId, [{ partNumber: 1, etag }])
    await Promise.all([complete(), complete(), complete()])
    expect(filesIn('data')).toHaveLength(1)
    expect(await made.events.receive({ max: 10, visibilityMs: 1000, waitMs: 0 })).toHaveLength(1)
  })

  it('announces nothing but what is created under the prefix', async () => {
    await made.objects.put('work/x', 'x', 'text/plain')
    await made.objects.put('uploadsx', 'x', 'text/plain')
    expect(await made.events.receive({ max: 10, visibilityMs: 1000, waitMs: 0 })).toEqual([])
  })

  it('puts into an event what S3 puts there', async () => {
    await made.objects.put('uploads/a b/ü+(1).wav', 'data', 'audio/wav')
    const [message] = await made.events.receive({ max: 1, visibilityMs: 1000, waitMs: 0 })
    const [record] = JSON.parse(message!.body).Records
    expect(record).toMatchObject({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      eventName: 'ObjectCreated:Put',
    })
    expect(record.s3.object).toEqual({
      key: 'uploads/a+b/%C3%BC%2B%281%29.wav',
      size: 4,
      eTag: '8d777f385d3dfec8815d20f7496026dc',
      sequencer: expect.stringMatching(/^[0-9A-F]{16}$/),
    })
  })

  it('lets a file be read that several have asked for until each has given it back', async () => {
    await made.objects.put('k', 'bytes', 'text/plain')
    const [one, two] = [(await made.objects.toFile('k'))!, (await made.objects.toFile('k'))!]
    await one.release()
    await made.objects.remove(['k'])
    expect(await readFile(two.path, 'utf8')).toBe('bytes')
    await two.release()
    expect([...filesIn('data'), ...filesIn('pins')]).toEqual([])
  })
})
