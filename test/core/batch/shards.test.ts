import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readStatus } from '../../../lib/core/batch/6-status.ts'
import type { JobOptions } from '../../../lib/core/job.ts'
import { workPrefix } from '../../../lib/core/keys.ts'
import { withStereo } from '../../support/media.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { randomFrom } from '../../support/random.ts'
import { createScriptedEngine, SPOKEN } from '../../support/scripted-engine.ts'
import { concat, silence, wavBytes } from '../../support/speak.ts'
import { stored, TENANT } from './jobs.ts'
import { bursts, deliver, ONE, queueJob, SILENT, unbroken } from './recordings.ts'
import {
  AFTER,
  announce,
  FIVE,
  type Host,
  nothingElse,
  pump,
  remains,
  SHARDED,
  saidOf,
  transcriptOf,
} from './sharded.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts(SHARDED)
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

async function transcribed(bytes: Uint8Array, options: Partial<JobOptions> = {}, host: Host = {}) {
  const job = await queueJob(ports, bytes, options)
  ports.db.sql.exec('DELETE FROM messages')
  await announce(ports, job)
  const outcomes = await pump(ports, host)
  return { job, outcomes }
}

/** What is said when one worker hears all of it. */
async function inOnePiece(bytes: Uint8Array, options: Partial<JobOptions> = {}) {
  const job = await queueJob(ports, bytes, options)
  const settings = { ...ports.settings, shardMs: 3_600_000 }
  expect(await deliver({ ...ports, settings, engine: createScriptedEngine() }, job)).toBe('completed')
  return saidOf(ports, job)
}

const shuffled = (seed: number): NonNullable<Host['order']> => {
  const random = randomFrom(seed)
  return (messages) =>
    messages
      .map((message) => ({ message, at: random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ message }) => message)
}

const left = concat([bursts(1200, 2000), silence(3000)])
const right = concat([silence(5000), bursts(1600, 1400)])
const STEREO = wavBytes(withStereo(left, right), { channels: 2 })
const UNBROKEN = wavBytes(unbroken(100_000))

describe('a recording that is heard in shards', () => {
  it.each<[string, Uint8Array, Partial<JobOptions>, Host]>([
    ['one after the other', FIVE, {}, {}],
    ['from the last to the first', FIVE, {}, { order: (messages) => messages.toReversed() }],
    ['two at a time, in any order', FIVE, {}, { workers: 2, order: shuffled(1) }],
    ['four at a time, in another order', FIVE, {}, { workers: 4, order: shuffled(2) }],
    ['from separate channels', STEREO, { channels: 'separate' }, { workers: 2, order: shuffled(3) }],
    ['in a given language', FIVE, { language: 'fr', prompt: 'Zoë' }, { order: shuffled(4) }],
    ['cut where nobody pauses', UNBROKEN, {}, { workers: 2, order: shuffled(5) }],
  ])('has the words of one that is heard at once, %s', async (_, bytes, options, host) => {
    const settings = bytes === UNBROKEN ? { ...ports.settings, shardMs: 30_000 } : ports.settings
    const { job, outcomes } = await transcribed(bytes, options, { ...host, portsFor: () => ({ settings }) })
    expect(outcomes[0]).toBe('sharded')
    expect(outcomes.filter((outcome) => outcome === 'completed')).toHaveLength(1)
    expect(await saidOf(ports, job)).toEqual(await inOnePiece(bytes, options))
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })

  it('says in how many shards it was', async () => {
    const { job } = await transcribed(FIVE)
    expect((await transcriptOf(ports, job)).statistics).toMatchObject({ shards: 5, windows: 5 })
    expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED', usage: { shards: 5 } })
  })

  it('is heard once, every window of it in the language of most samples', async () => {
    ports.engine.speak(...['en', 'fr', 'en'].map((language) => ({ language, probability: 0.6 })))
    // Three times 28 s of speech: three places to listen.
    const LONG = wavBytes(concat([unbroken(30_000), unbroken(30_000), unbroken(30_000)], 6000))
    const settings = { ...ports.settings, shardMs: 30_000 }
    const { job } = await transcribed(LONG, {}, { portsFor: () => ({ settings }) })
    expect(ports.engine.detected).toHaveLength(3)
    expect(new Set(ports.engine.heard.map(({ language }) => language))).toEqual(new Set(['en']))
    expect(await transcriptOf(ports, job)).toMatchObject({ language: { code: 'en', detected: true } })
    expect(await stored(ports, job)).toMatchObject({ language: 'en' })
  })

  it('is heard with its prompt in every shard, and each window once', async () => {
    await transcribed(FIVE, { language: 'fr', prompt: 'Zoë' })
    expect(ports.engine.detected).toEqual([])
    expect(ports.engine.heard).toHaveLength(5)
    expect(new Set(ports.engine.heard.map(({ ms }) => ms)).size).toBe(5)
    for (const { language, prompt } of ports.engine.heard) expect([language, prompt]).toEqual(['fr', 'Zoë'])
  })

  it('has only the files that were asked for', async () => {
    const { job } = await transcribed(FIVE, { formats: ['srt'] })
    const { objects } = await remains(ports, job)
    expect(objects).toEqual(['uploads/', 'transcripts/.json', 'transcripts/.srt'])
  })

  it('sends nothing through its queue but ids', async () => {
    const job = await queueJob(ports, FIVE, { prompt: 'Marmalade' })
    expect(await deliver(ports, job)).toBe('sharded')
    const { tenant, jobId } = job
    expect(ports.pending('shards')).toEqual([0, 1, 2, 3, 4].map((shard) => ({ tenant, jobId, shard })))
  })

  it('is logged by ids and counts, without a word of it', async () => {
    await transcribed(FIVE, { prompt: 'Marmalade' })
    expect(ports.logLines.join()).toContain('shard heard')
    expect(ports.logLines.join()).not.toMatch(new RegExp(`${SPOKEN}|Marmalade|talk`))
  })

  it('shows progress that only grows, and ends with the job', async () => {
    const seen: number[] = []
    const look = async () => (await readStatus(ports)(TENANT, job.jobId)).progress
    const job = await queueJob(ports, FIVE)
    expect(await deliver(ports, job)).toBe('sharded')
    const portsFor = () => ({
      shards: {
        ...ports.shards,
        end: async (...args: Parameters<TestPorts['shards']['end']>) => {
          seen.push(await look())
          const tally = await ports.shards.end(...args)
          seen.push(await look())
          return tally
        },
      },
    })
    ports.db.sql.exec("DELETE FROM messages WHERE queue = 'work'")
    await pump(ports, { portsFor })
    expect(seen).toHaveLength(10)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(new Set(seen).size).toBe(6)
    expect(seen[0]).toBe(0)
    expect(seen.at(-1)).toBeLessThan(1)
    expect(await look()).toBe(1)
  })
})

describe('a recording that is too short for shards', () => {
  it.each([
    ['short', ONE],
    ['silent', SILENT],
  ])('is brought to its end by its first worker, who stores nothing for others: %s', async (_, bytes) => {
    const stored: string[] = []
    const objects = {
      ...ports.objects,
      put: (...args: Parameters<TestPorts['objects']['put']>) => {
        stored.push(args[0])
        return ports.objects.put(...args)
      },
    }
    const began: unknown[] = []
    const shards = {
      ...ports.shards,
      begin: (ref: Parameters<TestPorts['shards']['begin']>[0]) => {
        began.push(ref)
        return ports.shards.begin(ref)
      },
    }
    const { job, outcomes } = await transcribed(bytes, {}, { portsFor: () => ({ objects, shards }) })
    expect(outcomes).toEqual(['completed'])
    expect(began).toEqual([])
    const kept = stored.filter((key) => key.startsWith(workPrefix(job)))
    expect(kept).toHaveLength(bytes === ONE ? 1 : 0)
    expect(ports.engine.heard).toHaveLength(bytes === ONE ? 1 : 0)
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })
})
