import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { deadLetterHandler } from '../../../lambdas/events/dead-letter.ts'
import { readStatus } from '../../../lib/core/batch/6-status.ts'
import { failAbandoned } from '../../../lib/core/batch/abandoned.ts'
import { readPlan } from '../../../lib/core/batch/plan-store.ts'
import { workOn } from '../../../lib/core/batch/work.ts'
import { type ErrorCode, VerbatimError } from '../../../lib/core/errors.ts'
import type { Job, JobOptions } from '../../../lib/core/job.ts'
import { transcriptKey } from '../../../lib/core/keys.ts'
import { sqsEvent } from '../../lambdas/samples.ts'
import { createPorts, failing, preceded, type TestPorts } from '../../support/ports.ts'
import { stored, TENANT } from './jobs.ts'
import { deliver, queueJob, THREE } from './recordings.ts'
import { AFTER, nothingElse, pump, remains, SHARDED, transcriptOf } from './sharded.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts({ ...SHARDED, shardMs: 2000 })
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const PARTIAL = { allowPartial: true }

/** A job whose three shards have been announced. */
async function sharded(options: Partial<JobOptions> = {}) {
  const job = await queueJob(ports, THREE, options)
  expect(await deliver(ports, job)).toBe('sharded')
  ports.db.sql.exec("DELETE FROM messages WHERE queue <> 'shards'")
  const plan = (await readPlan(ports.objects, job))!
  expect(plan.shards).toHaveLength(3)
  const ranges = plan.shards.map(({ windows: [window] }) => window!)
  return { job, ranges }
}

/** An engine that cannot hear these windows, so many times. */
function poisoned(ranges: ReadonlyArray<{ startMs: number; endMs: number }>, code: ErrorCode, times = 1000) {
  const lengths = ranges.map(({ startMs, endMs }) => endMs - startMs)
  let left = times
  const engine: TestPorts['engine'] = {
    ...ports.engine,
    async hear(pcm16, options) {
      if (lengths.includes(pcm16.length / 16) && left-- > 0)
        throw new VerbatimError(code, 'The script says so.')
      return ports.engine.hear(pcm16, options)
    },
  }
  return { engine, portsFor: () => ({ engine }) }
}

const at = ({ startMs, endMs }: { startMs: number; endMs: number }) => ({ startMs, endMs })

/** One delivery of a shard's message. */
const hearShard = async ({ tenant, jobId }: Job, shard: number, there = ports) => {
  const never = new AbortController().signal
  return (await workOn(there)({ tenant, jobId, shard }, `late/${++late}`, never)).outcome
}
let late = 0

describe('a shard that nobody can hear', () => {
  it.each(['engine-crashed', 'engine-timeout', 'internal'] as const)(
    'ends the job after a few attempts, which says where it was (%s)',
    async (code) => {
      const { job, ranges } = await sharded()
      const outcomes = await pump(ports, poisoned([ranges[1]!], code))
      expect(outcomes.filter((outcome) => outcome === 'failed')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'again')).toHaveLength(ports.settings.maxFailures - 1)
      expect(await stored(ports, job)).toMatchObject({ error: { code, range: at(ranges[1]!) } })
      expect(await readStatus(ports)(TENANT, job.jobId)).toMatchObject({
        error: { code, range: at(ranges[1]!) },
      })
      expect(await remains(ports, job)).toEqual({ ...AFTER.FAILED, ...nothingElse })
    },
  )

  it('for a reason that lasts ends the job at once, and the others are not heard any more', async () => {
    const { job, ranges } = await sharded()
    const outcomes = await pump(ports, poisoned([ranges[0]!], 'model-corrupt'))
    expect(outcomes).toEqual(['failed', 'nothing-to-do', 'nothing-to-do'])
    expect(ports.engine.heard).toEqual([])
    expect(await remains(ports, job)).toEqual({ ...AFTER.FAILED, ...nothingElse })
  })

  it('is a gap where the owner allows that, with the words of all others', async () => {
    const { job, ranges } = await sharded(PARTIAL)
    const outcomes = await pump(ports, poisoned([ranges[1]!], 'engine-crashed'))
    expect(outcomes.filter((outcome) => outcome === 'completed')).toHaveLength(1)
    const gap = { ...at(ranges[1]!), code: 'engine-crashed' }
    const { gaps, warnings, text, segments } = await transcriptOf(ports, job)
    expect({ gaps, warnings }).toEqual({ gaps: [gap], warnings: ['partial'] })
    const lengths = [ranges[0]!, ranges[2]!].map(({ startMs, endMs }) => endMs - startMs)
    expect(text).toBe(lengths.map((ms) => `Xyzzy ${ms} de`).join(' '))
    expect(segments).toHaveLength(2)
    expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED', gaps: [gap], usage: { shards: 3 } })
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })

  it('is no gap where no other can be heard either: the job fails', async () => {
    const { job, ranges } = await sharded(PARTIAL)
    await pump(ports, poisoned(ranges, 'engine-crashed'))
    expect(await stored(ports, job)).toMatchObject({ error: { code: 'engine-crashed' } })
    expect(await remains(ports, job)).toEqual({ ...AFTER.FAILED, ...nothingElse })
  })

  it('a few times, and then can be heard, harms no other', async () => {
    const { job, ranges } = await sharded()
    const times = ports.settings.maxFailures - 1
    const outcomes = await pump(ports, poisoned([ranges[2]!], 'engine-crashed', times))
    expect(outcomes.toSorted()).toEqual(['again', 'again', 'completed', 'heard', 'heard'])
    expect(await transcriptOf(ports, job)).not.toHaveProperty('gaps')
  })

  it('is counted by itself: each may fail as often', async () => {
    const { job, ranges } = await sharded()
    let calls = 0
    const failures = new Map<number, number>()
    const { hear } = ports.engine
    const engine: TestPorts['engine'] = {
      ...ports.engine,
      async hear(pcm16, options) {
        calls++
        const before = failures.get(pcm16.length) ?? 0
        failures.set(pcm16.length, before + 1)
        if (before < ports.settings.maxFailures - 1) throw new VerbatimError('engine-crashed', 'Crashed.')
        return hear(pcm16, options)
      },
    }
    await pump(ports, { portsFor: () => ({ engine }) })
    expect(calls).toBe(ranges.length * ports.settings.maxFailures)
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })

  it('for one worker, while another has heard it, harms nobody', async () => {
    const { job, ranges } = await sharded()
    // The one who fails for the last time had begun before the other had ended.
    const { engine } = poisoned([ranges[0]!], 'model-corrupt')
    const slow = { ...engine, hear: (...args: Parameters<typeof engine.hear>) => heardFirst(args) }
    const heardFirst = async (args: Parameters<typeof engine.hear>) => {
      expect(await hearShard(job, 0)).toBe('heard')
      return engine.hear(...args)
    }
    expect(await hearShard(job, 0, { ...ports, engine: slow })).not.toBe('failed')
    await pump(ports)
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })
})

describe('a shard that kills its workers', () => {
  /** All messages but that of the shard have been handled; that one has died. */
  async function without(shard: number, options: Partial<JobOptions> = {}) {
    const { job, ranges } = await sharded(options)
    const { tenant, jobId } = job
    ports.db.sql
      .prepare("DELETE FROM messages WHERE queue = 'shards' AND body = ?")
      .run(JSON.stringify({ tenant, jobId, shard }))
    await pump(ports)
    expect(await stored(ports, job)).toMatchObject({ status: 'PROCESSING' })
    const letter = () => deadLetterHandler(ports)(sqsEvent({ tenant, jobId, shard }))
    return { job, range: at(ranges[shard]!), shard, letter }
  }

  it('ends the job, which says where it was', async () => {
    const { job, range, letter } = await without(1)
    await letter()
    expect(await stored(ports, job)).toMatchObject({ error: { code: 'engine-crashed', range } })
    expect(await remains(ports, job)).toEqual({ ...AFTER.FAILED, ...nothingElse })
  })

  it('is a gap where the owner allows that: a worker is told, and joins the others', async () => {
    const { job, range, letter } = await without(1, PARTIAL)
    await letter()
    expect(await pump(ports)).toEqual(['completed'])
    const { gaps } = await transcriptOf(ports, job)
    expect(gaps).toEqual([{ ...range, code: 'engine-crashed' }])
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })

  it('is a gap too when the worker could not be told at first', async () => {
    const { job, shard } = await without(2, PARTIAL)
    const work = failing(ports.work, 'send', new Error('out of reach'))
    await expect(failAbandoned({ ...ports, work })(job, { shard })).rejects.toThrow('out of reach')
    await failAbandoned({ ...ports, work })(job, { shard })
    expect(await pump(ports)).toEqual(['completed'])
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })

  it('changes nothing when it was heard all the same', async () => {
    const { job, ranges: _ } = await sharded()
    expect(await hearShard(job, 0)).toBe('heard')
    expect(await failAbandoned(ports)(job, { shard: 0 })).toBe('past')
    await pump(ports)
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })
})

describe('a job that nobody can join', () => {
  /** All shards are heard, and the workers that tried to join them have died while they wrote the files. */
  async function unjoined() {
    const { job } = await sharded()
    let dead = false
    const objects = {
      ...ports.objects,
      put: async (...args: Parameters<TestPorts['objects']['put']>) => {
        if (args[0] === transcriptKey(job, 'txt')) dead = true
        if (dead) throw new Error('dead')
        return ports.objects.put(...args)
      },
    }
    const jobs = failing(ports.jobs, 'replace', new Error('dead'), { times: 1000, applies: () => dead })
    for (const shard of [0, 1]) expect(await hearShard(job, shard)).toBe('heard')
    await expect(hearShard(job, 2, { ...ports, objects, jobs })).rejects.toThrow('dead')
    ports.db.sql.exec('DELETE FROM messages')
    return job
  }

  it('is given to another worker when the message of its last shard has died', async () => {
    const job = await unjoined()
    expect(await failAbandoned(ports)(job, { shard: 2 })).toBe('past')
    expect((await pump(ports)).at(-1)).toBe('completed')
    expect(await remains(ports, job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
  })

  it('is looked at again while its worker may live, and then fails, when the message of the job has died', async () => {
    const job = await unjoined()
    expect(await failAbandoned(ports)(job)).toBe('busy')
    ports.time.now += ports.settings.leaseMs
    expect(await failAbandoned(ports)(job)).toBe('failed')
    expect(await stored(ports, job)).toMatchObject({ status: 'FAILED', error: { code: 'engine-crashed' } })
    expect(await remains(ports, job)).toEqual({ ...AFTER.FAILED, ...nothingElse })
  })

  it('and has failed keeps no file that a worker writes who was away for longer than its lease', async () => {
    const { job } = await sharded()
    for (const shard of [0, 1]) expect(await hearShard(job, shard)).toBe('heard')
    const objects = preceded(
      ports.objects,
      'put',
      async () => {
        ports.time.now += ports.settings.leaseMs
        expect(await failAbandoned(ports)(job)).toBe('failed')
      },
      (key: string) => key === transcriptKey(job, 'json'),
    )
    expect(await hearShard(job, 2, { ...ports, objects })).toBe('stopped')
    ports.db.sql.exec('DELETE FROM messages')
    expect(await remains(ports, job)).toEqual({ ...AFTER.FAILED, ...nothingElse })
  })
})
