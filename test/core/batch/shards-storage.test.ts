import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { failAbandoned } from '../../../lib/core/batch/abandoned.ts'
import { WorkMessage } from '../../../lib/core/batch/messages.ts'
import { workOn } from '../../../lib/core/batch/work.ts'
import { VerbatimError } from '../../../lib/core/errors.ts'
import type { Job } from '../../../lib/core/job.ts'
import type { TestPorts } from '../../support/ports.ts'
import { stored } from './jobs.ts'
import { createLongPorts } from './long-recordings.ts'
import { type Call, carryOn, endOf, play, type Run } from './long-runs.ts'
import { AFTER, nothingElse, remains } from './sharded.ts'

let ports: TestPorts
let whole: Run
beforeAll(async () => {
  ports = await createLongPorts()
  whole = await play(ports)
})
afterAll(() => ports.dispose())

const away = () => new VerbatimError('storage-unavailable', 'The store is away.')
const refuse = () => Promise.reject(away())
const doWithoutAnswer = async (go: () => Promise<unknown>) => {
  await go()
  throw away()
}

const isStores = ({ name }: Call) => /^(jobs|objects|shards|shardWork)\./.test(name)
const isWrite = ({ name }: Call) => /\.(put|remove|replace|begin|end|fail|send)$/.test(name)

describe('a store that once', () => {
  it.each([
    ['refuses any call', isStores, refuse],
    ['does what it is asked for, whatever it is, and cannot say so', isWrite, doWithoutAnswer],
  ])(
    '%s changes no word, and leaves nothing behind',
    async (_, applies, instead) => {
      const undisturbed = await endOf(ports, whole)
      expect(await remains(ports, whole.job)).toEqual({ ...AFTER.COMPLETED, ...nothingElse })
      for (const { n, name } of whole.calls.filter((call) => isStores(call) && applies(call))) {
        const run = await play(ports, (call, go) => (call.n === n ? instead(go) : go()))
        const at = { n, name, outcomes: run.outcomes }
        expect({ ...at, ...(await endOf(ports, run)) }).toEqual({ ...at, ...undisturbed })
      }
    },
    60_000,
  )
})

/** What a write is about, whichever job it is of: a key, a shard. */
function about({ name, args }: Call, { jobId }: { jobId: string }): string {
  const place = name.startsWith('shards.') ? (args[1] ?? '') : args[0]
  return `${name} ${JSON.stringify(place)}`.replaceAll(jobId, '')
}

describe('a store that never', () => {
  it('does one of its writes ends the job as FAILED, and nothing is left but the recording', async () => {
    const writes = whole.calls.filter(({ name }) =>
      /^(objects\.put|shards\.(begin|end)|shardWork)/.test(name),
    )
    const all = new Set(writes.map((call) => about(call, whole.job)))
    expect(all.size).toBe(3 + 1 + 1 + 3 + 3 * 3 + 4)
    for (const refused of all) {
      const run = await play(ports, (call, go, __, { job }) =>
        about(call, job) === refused ? refuse() : go(),
      )
      const { error } = (await stored(ports, run.job)) as { error?: unknown }
      const now = { ...(await remains(ports, run.job)), error, told: run.told > 0 }
      expect({ refused, ...now }).toEqual({
        ...{ refused, ...AFTER.FAILED, ...nothingElse, told: true },
        error: expect.objectContaining({ code: 'storage-unavailable' }),
      })
    }
  }, 60_000)

  it.each(['jobs', 'objects', 'shards', 'shardWork'])(
    'answers until all messages are dead leaves nothing behind either when it does again: %s',
    async (store) => {
      for (const { n } of whole.calls.filter((call) => call.n % 4 === 1)) {
        const run = await play(ports, (call, go) =>
          call.n >= n && call.name.startsWith(`${store}.`) ? refuse() : go(),
        )
        const dead = ports.pending('dead').map((body) => WorkMessage.parse(body))
        ports.db.sql.exec("DELETE FROM messages WHERE queue = 'dead'")
        for (const { shard, ...ref } of dead)
          await failAbandoned(ports)(ref, shard === undefined ? {} : { shard })
        await carryOn(ports, run)
        const now = await remains(ports, run.job)
        const good = now.status === 'COMPLETED' ? AFTER.COMPLETED : AFTER.FAILED
        const at = { n, name: whole.calls[n - 1]!.name, dead: dead.length, outcomes: run.outcomes }
        expect({ ...at, ...now }).toEqual({ ...at, ...good, ...nothingElse })
      }
    },
    60_000,
  )
})

describe('a planner', () => {
  it('who is not told that he has sent all shards leaves nobody waiting, though all have been heard by then', async () => {
    let heard = false
    const run = await play(ports, async ({ name, args }, go, _, { job: { tenant, jobId } }) => {
      const next = args[0] as Job
      if (heard || name !== 'jobs.replace' || next.status !== 'PROCESSING' || !next.shards?.sent) return go()
      heard = true
      const never = new AbortController().signal
      for (const shard of [0, 1, 2])
        expect(await workOn(ports)({ tenant, jobId, shard }, `early/${shard}`, never)).toEqual({
          outcome: 'heard',
        })
      ports.db.sql.exec("DELETE FROM messages WHERE queue = 'shards'")
      await go()
      throw away()
    })
    expect(run.outcomes).toEqual(['again', 'completed'])
    expect(await endOf(ports, run)).toEqual(await endOf(ports, whole))
  })
})
