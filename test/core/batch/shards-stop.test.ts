import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cancelJob, eraseJob } from '../../../lib/core/batch/erase.ts'
import type { Job } from '../../../lib/core/job.ts'
import type { TestPorts } from '../../support/ports.ts'
import { TENANT } from './jobs.ts'
import { createLongPorts } from './long-recordings.ts'
import { type Call, endOf, everBack, type Fate, play, type Run } from './long-runs.ts'
import { AFTER, nothingElse, remains } from './sharded.ts'

let ports: TestPorts
let whole: Run
let undisturbed: Awaited<ReturnType<typeof endOf>>
/** The call that writes the job as COMPLETED. */
let last: number
beforeAll(async () => {
  ports = await createLongPorts()
  whole = await play(ports)
  undisturbed = await endOf(ports, whole)
  last = whole.calls.find(({ name, args }) => name === 'jobs.replace' && isCompleted(args[0]))!.n
})
afterAll(() => ports.dispose())

const isCompleted = (job: unknown) => (job as Job).status === 'COMPLETED'
const about = (run: Run, { n, name }: Call) => ({ n, name, outcomes: run.outcomes })

/** Long enough for some beats of a heart of 1 ms. */
const fewBeats = () => new Promise((resolve) => setTimeout(resolve, 8))

type Act = (job: Job) => Promise<unknown>
const ACTS: ReadonlyArray<readonly [string, Act, keyof typeof AFTER]> = [
  ['cancelled', ({ jobId }) => cancelJob(ports)(TENANT, jobId), 'CANCELLED'],
  ['erased', ({ jobId }) => eraseJob(ports)(TENANT, jobId), 'erased'],
]

/** The act right before a call; how many windows have been heard by then is noted, and whether the job could be stopped. */
function stopping(act: Act, at: (call: Call) => boolean, then: Fate = (_, go) => go()) {
  const did = { heard: 0, refused: false, acted: false }
  const fate: Fate = async (call, go, worker, run) => {
    if (did.acted || !at(call)) return worker.dead ? Promise.reject(new Error('dead')) : go()
    did.acted = true
    await act(run.job).catch(() => {
      did.refused = true
    })
    did.heard = ports.engine.heard.length
    return then(call, go, worker, run)
  }
  return { did, fate }
}

const dyingAfter: Fate = async (_, go, worker) => {
  const result = await go()
  worker.dead = true
  return result
}

describe.each(ACTS)('a recording in shards that is %s', (_, act, end) => {
  it.each<[string, Fate | undefined]>([
    ['and nobody notices', undefined],
    ['and its worker dies right after it', dyingAfter],
  ])(
    'right before any step of its workers, %s, stops and leaves nothing behind',
    async (__, then) => {
      for (const step of whole.calls) {
        const { did, fate } = stopping(act, ({ n }) => n === step.n, then)
        const run = await play(ports, fate)
        const at = about(run, step)
        const now = { ...(await remains(ports, run.job)), refused: did.refused, back: everBack(run) }
        const late = end === 'CANCELLED' && step.n > last
        const good = late ? AFTER.COMPLETED : AFTER[end]
        expect({ ...at, ...now }).toEqual({ ...at, ...good, ...nothingElse, refused: late, back: false })
        if (late) expect(await endOf(ports, run)).toEqual(undisturbed)
        // What has begun is heard to its end, and nothing else.
        else expect({ ...at, more: ports.engine.heard.length - did.heard < 2 }).toEqual({ ...at, more: true })
      }
    },
    60_000,
  )

  it('is not heard any more from the next heartbeat on', async () => {
    for (const step of whole.calls.filter(({ n, name }) => n < last && !/^(jobs|ended)/.test(name))) {
      const earlier = whole.calls.filter(({ n, name }) => n <= step.n && name === step.name).length
      let count = 0
      const beats: Fate = async (___, go) => {
        await fewBeats()
        return go()
      }
      const { did, fate } = stopping(act, ({ name }) => name === step.name && ++count === earlier, beats)
      const run = await play(ports, fate, { heartbeatMs: 1 })
      const at = about(run, step)
      expect({ ...at, ...(await remains(ports, run.job)) }).toEqual({ ...at, ...AFTER[end], ...nothingElse })
      expect({ ...at, acted: did.acted, heard: ports.engine.heard.length }).toEqual({
        ...{ ...at, acted: true, heard: did.heard },
      })
    }
  }, 60_000)
})

/** A worker is asked to stop right before the nth call; nobody else is. */
const draining =
  (nth: number): Fate =>
  (call, go, worker) => {
    if (call.n === nth) worker.drain.abort()
    return go()
  }

const failures = ({ calls }: Run) =>
  calls.filter(({ name, args }) => name === 'shards.fail' || (args[0] as { failures?: number })?.failures)

describe('a worker of a recording in shards that is asked to stop', () => {
  it('right before any of its steps gives back what it has, and nothing is heard in vain', async () => {
    for (const step of whole.calls) {
      const run = await play(ports, draining(step.n))
      const at = about(run, step)
      expect({ ...at, ...(await endOf(ports, run)) }).toEqual({ ...at, ...undisturbed })
      expect({ ...at, failures: failures(run) }).toEqual({
        ...{ ...at, failures: [] },
      })
    }
  }, 60_000)

  it('before it has heard a shard leaves it to the next one', async () => {
    const first = whole.calls.find(({ name }) => name === 'engine.hear')!
    const run = await play(ports, draining(first.n))
    expect(run.outcomes).toEqual(['sharded', 'again', 'heard', 'heard', 'completed'])
    expect(ports.engine.heard).toHaveLength(3)
  })

  it('between two windows of a shard leaves what it has saved to the next one', async () => {
    const settings = { shardMs: 4000 }
    const long = await play(ports, undefined, settings)
    expect(long.outcomes).toEqual(['sharded', 'heard', 'completed'])
    const good = await endOf(ports, long)
    for (const step of long.calls.filter(({ name }) => /^(objects|engine)\./.test(name))) {
      const run = await play(ports, draining(step.n), settings)
      const at = about(run, step)
      expect({ ...at, ...(await endOf(ports, run)) }).toEqual({ ...at, ...good })
      expect({ ...at, heard: ports.engine.heard.length }).toEqual({ ...at, heard: 3 })
    }
  })
})
