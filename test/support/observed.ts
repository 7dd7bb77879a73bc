import type { Job } from '../../lib/core/job.ts'
import type { ShardTally } from '../../lib/core/ports.ts'
import type { Run } from './cast.ts'

// A reader who looks at a part of a record only has nothing to do with what is written to the rest of it. What is looked
// at shows until the end of the step in which it was read; nothing else may be looked at later.

/** The parts of a job that say how far it is, and those that never change. */
const STATUS = new Set<string | symbol>(['status', 'options', 'tenant', 'jobId'])

/** A job of which it is noted whether more than its status is looked at. */
export function observedJob(run: Run, job: Job | undefined): Job | undefined {
  const { narrow, wide } = sights(run, 'jobs')
  if (!job) return wide()
  return new Proxy(job, {
    get(target, name) {
      // Asked for by `await`.
      if (STATUS.has(name)) narrow('status')
      else if (name !== 'then') wide()
      return Reflect.get(target, name) as unknown
    },
    ownKeys(target) {
      wide()
      return Reflect.ownKeys(target)
    },
  })
}

/** A tally of which it is noted whether more than one shard is looked at. `ignored`: nobody is expected to look. */
export function observedTally(
  run: Run,
  tally: ShardTally | undefined,
  { ignored = false } = {},
): ShardTally | undefined {
  const { narrow, wide } = sights(run, 'shards', ignored)
  if (!tally) return wide()
  const ended = new Proxy(tally.ended, {
    get(target, name) {
      if (name === 'includes') return (shard: number) => narrow(String(shard)) ?? target.includes(shard)
      wide()
      return Reflect.get(target, name) as unknown
    },
  })
  return new Proxy(tally, {
    get(target, name) {
      if (name === 'ended') return ended
      if (name !== 'then') wide()
      return Reflect.get(target, name) as unknown
    },
  })
}

function sights(run: Run, record: string, ignored = false) {
  const parts = new Set<string>()
  let whole = false
  let over = false
  const see = (part: string | undefined): undefined => {
    if (over && !whole && (part === undefined || !parts.has(part))) run.fail(`${record} looked at too late`)
    if (part === undefined) whole = true
    else parts.add(part)
  }
  run.touch(() => {
    over = true
    // Not looked at yet: anything may be.
    if (parts.size === 0 && !ignored) whole = true
    return whole ? [record] : Array.from(parts, (part) => `${record}/${part}`)
  }, false)
  return { narrow: (part: string) => see(part), wide: () => see(undefined) }
}
