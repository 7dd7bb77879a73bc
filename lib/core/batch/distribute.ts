import type { JobIn } from '../job.ts'
import type { JobRef } from '../keys.ts'
import type { Clock, ObjectStore, Queue, Recording, ShardStore, SoundPacker } from '../ports.ts'
import type { Plan } from './3-plan.ts'
import { inParallel } from './in-parallel.ts'
import type { SpokenLanguage } from './language.ts'
import { type Hold, type Lost, released } from './lease.ts'
import type { WorkMessage } from './messages.ts'
import { savePlan, soundMs } from './plan-store.ts'
import { storeSound } from './shard-sound.ts'

export interface DistributePorts {
  readonly objects: ObjectStore
  readonly packer: SoundPacker
  readonly shards: ShardStore
  readonly shardWork: Queue
  readonly clock: Clock
}

/** The sound of shards that is held in memory at once: 20 MB, twice that while it is packed. */
const HELD_MS = 10 * 60_000
const MOST_AT_ONCE = 8
const SENDS = 16

/**
 * Stores what the workers of the shards need, then announces the shards. In this order, so that whoever finds the job
 * sharded finds everything else: sound and plan, the tally, the job's record, the messages.
 */
export async function distribute(
  ports: DistributePorts,
  job: JobIn<'PROCESSING'>,
  plan: Plan & { recording: Recording; language: SpokenLanguage | null; worked: () => number },
  hold: Hold,
  signal: AbortSignal,
): Promise<'sharded' | Lost> {
  const { recording, shards, language } = plan
  const { durationMs, truncated } = recording
  const longestMs = shards.reduce((most, shard) => Math.max(most, soundMs(shard)), 1)
  const width = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(HELD_MS / longestMs)))
  await inParallel([...shards.entries()], width, async ([n, shard]) => {
    signal.throwIfAborted()
    await storeSound(ports, job, recording, shard, n)
  })
  await savePlan(ports.objects, job, { durationMs, truncated, language, shards })
  await ports.shards.begin(job)
  const found = {
    total: shards.length,
    audioMs: shards.reduce((sum, shard) => sum + soundMs(shard), 0),
    sent: false,
  }
  hold.note({ shards: found, workMs: plan.worked() })
  const lost = await hold.save()
  return lost ?? sendShards(ports, job, found, hold, signal)
}

/** Announces the shards that have not ended, and lets go of the job. A shard that is announced twice is heard once. */
export async function sendShards(
  ports: DistributePorts,
  ref: JobRef,
  found: NonNullable<JobIn<'PROCESSING'>['shards']>,
  hold: Hold,
  signal: AbortSignal,
): Promise<'sharded' | Lost> {
  const ended = new Set((await ports.shards.begin(ref)).ended)
  const missing = Array.from({ length: found.total }, (_, n) => n).filter((n) => !ended.has(n))
  const { tenant, jobId } = ref
  await inParallel(missing, SENDS, async (shard) => {
    signal.throwIfAborted()
    await ports.shardWork.send(JSON.stringify({ tenant, jobId, shard } satisfies WorkMessage))
  })
  const outcome = await hold.finish((job) => ({
    ...job,
    shards: { ...found, sent: true },
    lease: released(ports),
  }))
  return outcome === 'finished' ? 'sharded' : outcome
}
