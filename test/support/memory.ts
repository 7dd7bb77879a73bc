import { checkEnd } from '../../lib/adapters/read-tally.ts'
import type { Job } from '../../lib/core/job.ts'
import type { JobRef } from '../../lib/core/keys.ts'
import type { JobStore, ObjectStore, ShardEnd, ShardStore, ShardTally } from '../../lib/core/ports.ts'

// Stores that are only a map: each call is one step, which is what a test of all interleavings needs.

const EMPTY: ShardTally = { ended: [], audioMs: 0, workMs: 0, engineMs: 0, failed: [] }

export interface MemoryJobs extends JobStore {
  /** Every job, in the words of the store. */
  dump(): string
}

export function createMemoryJobs(): MemoryJobs {
  const jobs = new Map<string, string>()
  const keyOf = (tenant: string, jobId: string) => `${tenant}/${jobId}`
  const read = (tenant: string, jobId: string): Job | undefined => {
    const body = jobs.get(keyOf(tenant, jobId))
    return body === undefined ? undefined : (JSON.parse(body) as Job)
  }
  const write = (job: Job) => void jobs.set(keyOf(job.tenant, job.jobId), JSON.stringify(job))
  return {
    async create(job) {
      write(job)
      return { outcome: 'created' }
    },
    get: async (tenant, jobId) => read(tenant, jobId),
    async replace(next) {
      const current = read(next.tenant, next.jobId)
      if (!current) return { outcome: 'gone' }
      if (current.version !== next.version - 1) return { outcome: 'lost', current }
      write(next)
      return { outcome: 'replaced' }
    },
    list: async () => ({ jobs: Array.from(jobs.values(), (body) => JSON.parse(body) as Job) }),
    remove: async (tenant, jobId) => jobs.delete(keyOf(tenant, jobId)),
    dump: () => JSON.stringify([...jobs]),
  }
}

export interface MemoryShards extends ShardStore {
  dump(): string
}

export function createMemoryShards(): MemoryShards {
  const tallies = new Map<string, { tally: ShardTally; failures: Record<number, number> }>()
  const keyOf = ({ tenant, jobId }: JobRef) => `${tenant}/${jobId}`
  return {
    async begin(ref) {
      const there = tallies.get(keyOf(ref)) ?? { tally: EMPTY, failures: {} }
      tallies.set(keyOf(ref), there)
      return there.tally
    },
    read: async (ref) => tallies.get(keyOf(ref))?.tally,
    async end(ref, ended) {
      checkEnd(ended)
      const there = tallies.get(keyOf(ref))
      if (there && !there.tally.ended.includes(ended.shard)) there.tally = withEnd(there.tally, ended)
      return there?.tally
    },
    async fail(ref, shard) {
      const there = tallies.get(keyOf(ref))
      if (!there) return undefined
      there.failures[shard] = (there.failures[shard] ?? 0) + 1
      return there.failures[shard]
    },
    remove: async (ref) => void tallies.delete(keyOf(ref)),
    dump: () => JSON.stringify([...tallies]),
  }
}

function withEnd(tally: ShardTally, { shard, failed: code, ...end }: ShardEnd): ShardTally {
  return {
    ended: [...tally.ended, shard],
    audioMs: tally.audioMs + end.audioMs,
    workMs: tally.workMs + end.workMs,
    engineMs: tally.engineMs + end.engineMs,
    failed: code === undefined ? tally.failed : [...tally.failed, { shard, code }],
  }
}

/** Bytes by key; what has to do with URLs and files is left out. */
export type MemoryObjects = Pick<ObjectStore, 'put' | 'get' | 'list' | 'remove'>

export function createMemoryObjects(): MemoryObjects & { readonly keys: () => string[] } {
  const objects = new Map<string, Uint8Array>()
  const keys = () => [...objects.keys()].toSorted()
  return {
    put: async (key, body) => void objects.set(key, Buffer.from(body as string)),
    get: async (key) => objects.get(key),
    list: async (prefix) => keys().filter((key) => key.startsWith(prefix)),
    async remove(gone) {
      for (const key of gone) objects.delete(key)
    },
    keys,
  }
}
