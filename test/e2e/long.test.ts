import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Transcript } from '../../lib/core/transcript/shape.ts'
import { readReference, samplePath } from '../support/reference.ts'
import {
  call,
  cleanUp,
  download,
  ended,
  type RunningService,
  startService,
  tempFolder,
  until,
  uploadBytes,
} from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'

// A recording that is long for a service whose shards are this short: three minutes in about a dozen of them.

const ARGS = ['--shard-minutes', '0.25']

let folder: string
let meeting: Buffer
let undisturbed: Transcript
let views: Awaited<ReturnType<typeof statusOf>>[]

beforeAll(async () => {
  folder = await tempFolder()
  meeting = await readFile(samplePath('meeting180'))
  const service = await startService({ data: join(folder, 'undisturbed'), args: ARGS })
  const jobId = await uploadBytes(service, meeting)
  views = await watch(service, jobId)
  undisturbed = await transcriptOf(service, jobId)
  await service.end()
}, 120_000)
afterAll(cleanUp)

const statusOf = async (service: RunningService, jobId: string) =>
  (await call(service, 'GET', `/status/${jobId}`)).body

/** What a client sees until the job has ended. */
async function watch(service: RunningService, jobId: string) {
  const seen = [await statusOf(service, jobId)]
  await until(async () => {
    seen.push(await statusOf(service, jobId))
    return ['COMPLETED', 'FAILED'].includes(seen.at(-1).status) || undefined
  }, 100_000)
  return seen
}

async function transcriptOf(service: RunningService, jobId: string): Promise<Transcript> {
  const status = await ended(service, jobId, 100_000)
  if (status.status !== 'COMPLETED') throw new Error(`the job ended as ${JSON.stringify(status)}`)
  return Transcript.parse(JSON.parse(await download(status, 'json')))
}

const textsOf = ({ segments }: Transcript): string[] => segments.map(({ text }) => text)

interface LogLine {
  readonly event: string
  readonly count?: number
}

const eventsOf = (service: RunningService, event: string): LogLine[] =>
  service
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine)
    .filter((line) => line.event === event)

const heardBy = (service: RunningService) => eventsOf(service, 'shard heard').map(({ count }) => count!)

const someShards = (service: RunningService, least: number) =>
  until(async () => (heardBy(service).length >= least ? true : undefined))

/** Whatever a data folder holds of jobs, read beside the running service. */
function leftIn(data: string) {
  const db = new DatabaseSync(join(data, 'verbatim.db'), { readOnly: true })
  const count = (from: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${from}`).get()?.n)
  try {
    const keys = db.prepare('SELECT key FROM objects ORDER BY key').all()
    return {
      keys: keys.map(({ key }) => String(key)),
      tallies: count('tallies'),
      messages: count(`messages WHERE queue IN ('work', 'shards', 'dead')`),
    }
  } finally {
    db.close()
  }
}

/** Messages that came too late are still being put away, and files that nobody names any more. */
async function expectLeft(data: string, keys: string[]): Promise<void> {
  const wanted = { keys, tallies: 0, messages: 0 }
  await until(async () => (JSON.stringify(leftIn(data)) === JSON.stringify(wanted) ? true : undefined)).catch(
    () => expect(leftIn(data)).toEqual(wanted),
  )
  expect(await readdir(join(data, 'scratch'))).toEqual([])
  const files = await readdir(join(data, 'objects', 'data'), { recursive: true, withFileTypes: true })
  expect(files.filter((entry) => entry.isFile())).toHaveLength(keys.length)
}

const transcripts = (jobId: string) =>
  ['json', 'srt', 'txt', 'vtt'].map((format) => `transcripts/default/${jobId}.${format}`)

describe('a long recording', () => {
  it('is heard in shards, and every word is where it was said', () => {
    const reference = readReference('meeting180')
    expect(wordErrors(reference.text, textsOf(undisturbed).join(' ')).rate).toBeLessThanOrEqual(0.1)
    expect(undisturbed.statistics?.shards).toBeGreaterThan(3)
    const [first, last] = [undisturbed.segments[0]!, undisturbed.segments.at(-1)!]
    expect(Math.abs(first.startMs - reference.sentences[0]!.startMs)).toBeLessThan(500)
    expect(Math.abs(last.endMs - reference.sentences.at(-1)!.endMs)).toBeLessThan(500)
  })

  it('says how far it is, shard by shard', () => {
    const total = undisturbed.statistics!.shards
    const running = views.filter(({ shards }) => shards)
    expect(running.length).toBeGreaterThan(3)
    for (const { shards } of running) expect(shards.total).toBe(total)
    const done = running.map(({ shards }) => shards.done)
    expect(done).toEqual(done.toSorted((a, b) => a - b))
    expect(new Set(done).size).toBeGreaterThan(2)
    const progress = views.map((view) => view.progress)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    expect(running.some(({ remainingMs }) => remainingMs > 0)).toBe(true)
    expect(views.at(-1)).toMatchObject({ status: 'COMPLETED', progress: 1, usage: { shards: total } })
  })

  it('goes on after a kill -9 among its shards, and hears none of them again', async () => {
    const data = join(folder, 'killed')
    const service = await startService({ data, args: ARGS })
    const jobId = await uploadBytes(service, meeting)
    await someShards(service, 3)
    await service.end('SIGKILL')

    const again = await startService({ data, args: ARGS })
    const transcript = await transcriptOf(again, jobId)
    expect(textsOf(transcript)).toEqual(textsOf(undisturbed))
    expect(transcript.statistics).toEqual(undisturbed.statistics)
    const heard = [...heardBy(service), ...heardBy(again)]
    expect(heardBy(again).length).toBeGreaterThan(0)
    expect(heard.toSorted()).toEqual([...new Set(heard)].toSorted())
    expect([service, again].flatMap((one) => eventsOf(one, 'job transcribed'))).toHaveLength(1)
    await expectLeft(data, [...transcripts(jobId), `uploads/default/${jobId}`])
    await again.end()
  }, 120_000)

  it('that is cancelled among its shards leaves nothing behind', async () => {
    const data = join(folder, 'cancelled')
    const service = await startService({ data, args: [...ARGS, '--engines', '2'] })
    const jobId = await uploadBytes(service, meeting)
    await someShards(service, 2)
    expect((await call(service, 'POST', `/jobs/${jobId}/cancel`)).status).toBe(200)
    await expectLeft(data, [])
    expect((await statusOf(service, jobId)).status).toBe('CANCELLED')
    expect(eventsOf(service, 'job transcribed')).toEqual([])
    await service.end()
  })
})
