import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { cancelJob, eraseJob } from '../../../lib/core/batch/erase.ts'
import { workOn } from '../../../lib/core/batch/work.ts'
import type { Job } from '../../../lib/core/job.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { createScriptedEngine } from '../../support/scripted-engine.ts'
import { stored, TENANT } from './jobs.ts'
import { deliver, queueJob, THREE } from './recordings.ts'
import { AFTER, nothingElse, pump, remains, SHARDED, saidOf, transcriptOf } from './sharded.ts'

// Queues deliver at least once: every message may come again, at any time.

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts({ ...SHARDED, shardMs: 2000 })
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

/** A job whose three shards have been announced. */
async function sharded(): Promise<Job> {
  const job = await queueJob(ports, THREE)
  expect(await deliver(ports, job)).toBe('sharded')
  ports.db.sql.exec("DELETE FROM messages WHERE queue <> 'shards'")
  expect(ports.pending('shards')).toHaveLength(3)
  return job
}

let deliveries = 0
const handle = async ({ tenant, jobId }: Job, shard?: number, there = ports) => {
  const message = { tenant, jobId, ...(shard !== undefined && { shard }) }
  return (await workOn(there)(message, `again/${++deliveries}`, new AbortController().signal)).outcome
}

const COMPLETED = { ...AFTER.COMPLETED, ...nothingElse }

describe('the message of a shard', () => {
  it('that comes twice at once is one shard', async () => {
    const job = await sharded()
    ports.engine.block()
    const both = [handle(job, 1), handle(job, 1)]
    await ports.engine.whenWaiting(2)
    ports.engine.release()
    expect(await Promise.all(both)).toEqual(['heard', 'heard'])
    expect(await ports.shards.read(job)).toMatchObject({ ended: [1] })
    const outcomes = await pump(ports)
    expect(outcomes.toSorted()).toEqual(['completed', 'heard', 'nothing-to-do'])
    expect((await transcriptOf(ports, job)).segments).toHaveLength(3)
    expect(await remains(ports, job)).toEqual(COMPLETED)
  })

  it('that comes again while others are heard is done with, and heard no more', async () => {
    const job = await sharded()
    expect(await handle(job, 0)).toBe('heard')
    const before = await ports.shards.read(job)
    expect(await handle(job, 0)).toBe('nothing-to-do')
    expect(ports.engine.heard).toHaveLength(1)
    expect(await ports.shards.read(job)).toEqual(before)
  })

  it.each<[string, (job: Job) => Promise<unknown>, keyof typeof AFTER]>([
    ['was COMPLETED', () => pump(ports), 'COMPLETED'],
    [
      'has FAILED',
      async (job) => {
        ports.engine.fail('model-corrupt')
        expect(await handle(job, 1)).toBe('failed')
      },
      'FAILED',
    ],
    ['was cancelled', (job) => cancelJob(ports)(TENANT, job.jobId), 'CANCELLED'],
    ['was erased', (job) => eraseJob(ports)(TENANT, job.jobId), 'erased'],
  ])('that comes after its job %s changes nothing and leaves nothing behind', async (_, end, status) => {
    const job = await sharded()
    await end(job)
    ports.db.sql.exec('DELETE FROM messages')
    const before = await stored(ports, job)
    const heard = ports.engine.heard.length
    for (const shard of [0, 1, 2, 7, undefined]) expect(await handle(job, shard)).toBe('nothing-to-do')
    expect(ports.engine.heard).toHaveLength(heard)
    expect(await stored(ports, job)).toEqual(before)
    expect(await remains(ports, job)).toEqual({ ...AFTER[status], ...nothingElse })
  })

  it('whose worker is late finds the job COMPLETED by another, and leaves it so', async () => {
    const job = await sharded()
    const sleeper = createScriptedEngine()
    sleeper.block()
    const late = handle(job, 1, { ...ports, engine: sleeper })
    await sleeper.whenWaiting(1)
    await pump(ports)
    const [before, said] = [await stored(ports, job), await saidOf(ports, job)]
    expect(before).toMatchObject({ status: 'COMPLETED' })
    sleeper.release()
    expect(await late).toBe('heard')
    expect(await stored(ports, job)).toEqual(before)
    expect(await saidOf(ports, job)).toEqual(said)
    expect(await remains(ports, job)).toEqual(COMPLETED)
  })

  it.each<[string, (job: Job) => Promise<unknown>, 'CANCELLED' | 'erased']>([
    ['cancelled', (job) => cancelJob(ports)(TENANT, job.jobId), 'CANCELLED'],
    ['erased', (job) => eraseJob(ports)(TENANT, job.jobId), 'erased'],
  ])('whose worker is late finds the job %s, and takes back what it has written', async (_, end, status) => {
    const job = await sharded()
    ports.engine.block()
    const late = handle(job, 1)
    await ports.engine.whenWaiting(1)
    await end(job)
    ports.engine.release()
    await late
    await pump(ports)
    expect(await remains(ports, job)).toEqual({ ...AFTER[status], ...nothingElse })
  })

  it('names a shard that there is not: nothing is heard, and the job goes on', async () => {
    const job = await sharded()
    expect(await handle(job, 9)).toBe('again')
    await pump(ports)
    expect(await remains(ports, job)).toEqual(COMPLETED)
  })
})

describe('the message of the job', () => {
  it('that comes again while its shards are announced waits', async () => {
    const job = await queueJob(ports, THREE)
    let second: string | undefined
    const shardWork = {
      ...ports.shardWork,
      send: async (body: string) => {
        second ??= await handle(job)
        return ports.shardWork.send(body)
      },
    }
    expect(await handle(job, undefined, { ...ports, shardWork })).toBe('sharded')
    expect(second).toBe('again')
    expect(ports.pending('shards')).toHaveLength(3)
  })

  it('that comes again while its shards are heard plans nothing and sends nothing', async () => {
    const job = await sharded()
    const before = await stored(ports, job)
    expect(await handle(job)).toBe('nothing-to-do')
    expect(ports.pending('shards')).toHaveLength(3)
    expect(await stored(ports, job)).toEqual(before)
    await pump(ports)
    expect(await remains(ports, job)).toEqual(COMPLETED)
  })

  it('that comes again when all are heard, and nobody has joined them, joins them', async () => {
    const job = await sharded()
    // Their workers have counted them, and died.
    const dead = async () => {
      throw new Error('dead')
    }
    const end: TestPorts['shards']['end'] = async (...args) => {
      await ports.shards.end(...args)
      return dead()
    }
    const shards = { ...ports.shards, end, fail: dead }
    for (const shard of [0, 1, 2])
      await expect(handle(job, shard, { ...ports, shards })).rejects.toThrow('dead')
    ports.db.sql.exec('DELETE FROM messages')
    expect(await stored(ports, job)).toMatchObject({ status: 'PROCESSING' })
    expect(await handle(job)).toBe('completed')
    expect(await remains(ports, job)).toEqual(COMPLETED)
  })
})
