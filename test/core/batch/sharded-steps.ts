import type { Job } from '../../../lib/core/job.ts'
import type { JobStore, ShardStore } from '../../../lib/core/ports.ts'
import type { Actor, Run } from '../../support/cast.ts'
import type { MemoryObjects, MemoryShards } from '../../support/memory.ts'
import { observedJob, observedTally } from '../../support/observed.ts'

// The stores as an actor sees them: what is shared is touched in turns only, and it is noted what is touched.

/** The job store, but each call waits for the actor's turn. */
export const steppingJobs = (run: Run, actor: Actor, jobs: Pick<JobStore, 'get' | 'replace'>) => ({
  get: (tenant: string, jobId: string) =>
    actor.turn(async () => observedJob(run, await jobs.get(tenant, jobId))),
  replace: (next: Job) =>
    actor.turn(async () => {
      const result = await jobs.replace(next)
      const wrote = result.outcome === 'replaced'
      run.touch(wrote && next.status === 'PROCESSING' ? 'jobs/rest' : 'jobs', wrote)
      return result
    }),
})

/** The tallies, likewise. */
export const steppingShards = (run: Run, actor: Actor, shards: MemoryShards): ShardStore => ({
  begin: (ref) => actor.turn(async () => observedTally(run, await shards.begin(ref))!),
  read: (ref) => actor.turn(async () => observedTally(run, await shards.read(ref))),
  end: (ref, end) =>
    actor.turn(async () => {
      const before = shards.dump()
      const tally = await shards.end(ref, end)
      run.touch(`shards/${end.shard}`, shards.dump() !== before)
      return observedTally(run, tally, { ignored: true })
    }),
  fail: (ref, shard) =>
    actor.turn(async () => {
      run.touch(`shards/${shard}`, true)
      return shards.fail(ref, shard)
    }),
  remove: (ref) =>
    actor.turn(async () => {
      run.touch('shards', (await shards.read(ref)) !== undefined)
      return shards.remove(ref)
    }),
})

/** The port, but only for the living. */
export const mortal = <T extends object>(actor: Actor, port: T): T =>
  around(port, (_, call) => (actor.dead ? Promise.reject(new Error('dead')) : call()))

/** What is done with objects is part of the step before. */
export const noted = (run: Run, objects: MemoryObjects): MemoryObjects =>
  around(objects, (method, call, args) => {
    for (const key of [args[0]].flat()) run.touch(`objects/${key}`, method === 'put' || method === 'remove')
    return call()
  })

type Wrap = (method: string, call: () => Promise<unknown>, args: readonly unknown[]) => unknown

function around<T extends object>(port: T, wrap: Wrap): T {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => wrap(String(name), async () => value.apply(target, args), args)
    },
  })
}
