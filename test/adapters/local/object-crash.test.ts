import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { firstLine, kill, linesOf, startChild, startChildWithin } from './child.ts'
import { temporaryFolder } from './folder.ts'
import { temporaryObjects } from './objects.ts'

const ROUNDS = 30

describe('the object store of one machine, when things go wrong', () => {
  let made: Awaited<ReturnType<typeof temporaryObjects>>
  beforeAll(async () => {
    made = await temporaryObjects()
  })
  afterAll(() => made.dispose())

  it('keeps every object whole, with its one event, when its writer is killed 30 times', async () => {
    let written = ''
    for (let round = 0; round < ROUNDS; round++) {
      const child = startChild('put-forever.ts', [made.dataDir, String(round)])
      child.stdout.on('data', (lines) => {
        written += lines
      })
      await firstLine(child)
      await sleep(Math.random() * 150)
      await kill(child)
    }
    await made.objects.sweep()

    const keys = await made.objects.list('uploads/')
    const acknowledged = written.split('\n').filter((line) => line !== '')
    expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS)
    expect(acknowledged.filter((key) => !keys.includes(key))).toEqual([])
    for (const key of keys) {
      const body = Buffer.from((await made.objects.get(key))!)
      expect(body.readUInt32LE()).toBe(body.length)
      expect((await made.objects.head(key))!.etag).toBe(`"${createHash('md5').update(body).digest('hex')}"`)
    }
    expect(readdirSync(join(made.dataDir, 'objects', 'data'))).toHaveLength(keys.length)

    const once = keys.filter((key) => key !== 'uploads/replaced')
    const events = await eventKeys()
    expect(events.filter((key) => key !== 'uploads/replaced').toSorted()).toEqual(once.toSorted())
  }, 180_000)

  it('gives a reader one whole version while another process replaces it', async () => {
    const child = startChild('put-forever.ts', [made.dataDir, 'replacing'])
    await firstLine(child)
    for (let n = 0; n < 500; n++) {
      const readers = Array.from({ length: 8 }, () => made.objects.get('uploads/replaced'))
      for (const bytes of await Promise.all(readers)) {
        expect(Buffer.from(bytes!).readUInt32LE()).toBe(bytes!.length)
      }
    }
    await kill(child)
  })

  async function eventKeys(): Promise<string[]> {
    const found: string[] = []
    for (;;) {
      const messages = await made.events.receive({ max: 1000, visibilityMs: 3_600_000, waitMs: 0 })
      if (messages.length === 0) return found
      found.push(...messages.map(({ body }) => JSON.parse(body).Records[0].s3.object.key as string))
    }
  }

  it('says that there is no room, keeps the old object and leaves no rubbish', async () => {
    const { dataDir, dispose } = temporaryFolder()
    const size = 5_000_000
    const child = startChildWithin(4000, 'fill-disk.ts', [dataDir, String(size)])
    const [line] = await linesOf(child).finally(dispose)
    expect(JSON.parse(line!)).toEqual({
      put: 'disk-full',
      upload: [507, 'disk-full'],
      old: 'old',
      keys: ['uploads/old'],
      files: 1,
    })
  })
})
