import { VerbatimError } from '../errors.ts'
import type { JobIn } from '../job.ts'
import type { JobRef } from '../keys.ts'
import type { JobStore, Log, ShardStore, SoundPacker } from '../ports.ts'
import { type HearPorts, hearShards } from './4-shard.ts'
import { saveShard } from './5-stitch.ts'
import { failedShard } from './failed-shard.ts'
import { knownError, tidy } from './leave.ts'
import { readPlan, soundMs } from './plan-store.ts'
import { loadSound } from './shard-sound.ts'
import { watchJob } from './watch.ts'
import type { WorkOutcome } from './work-outcome.ts'
import { type StitchWorkPorts, stitchWhenDone } from './work-stitch.ts'

export interface ShardPorts extends StitchWorkPorts, HearPorts {
  readonly jobs: JobStore
  readonly packer: SoundPacker
  readonly shards: ShardStore
}

/**
 * Hears one shard and counts it; who counts the last one joins them all. Nothing is locked: a shard that two workers hear
 * is counted once. An error is this shard's alone: it is heard again, and only when that does not help the job fails, or
 * has a gap where its owner allows that.
 */
export const workOnShard =
  (ports: ShardPorts) =>
  async (ref: JobRef, shard: number, owner: string, drain: AbortSignal): Promise<WorkOutcome> => {
    const job = await ports.jobs.get(ref.tenant, ref.jobId)
    if (job?.status !== 'PROCESSING') {
      await tidy(ports, ref, job?.status)
      // Whoever ended the job may have died before he could tell.
      await ports.ended?.(ref)
      return { outcome: 'nothing-to-do' }
    }
    const tally = await ports.shards.read(ref)
    if (!tally || tally.ended.includes(shard)) return stitchWhenDone(ports, ref, owner, drain)

    const log = ports.log.with({ jobId: ref.jobId, tenant: ref.tenant })
    const watch = watchJob(ports, ref)
    const begin = ports.clock()
    try {
      const heard = await hear(ports, job, shard, AbortSignal.any([watch.signal, drain]))
      const { audioMs, engineMs } = heard
      // Clocks are set back now and then; a tally takes no negative time.
      const workMs = Math.max(0, ports.clock() - begin - heard.idleMs)
      await ports.shards.end(ref, { shard, audioMs, workMs, engineMs })
      log.info('shard heard', { count: shard, audioMs, ms: workMs })
    } catch (error) {
      if (watch.signal.aborted) return stopped(ports, ref, log)
      if (drain.aborted) return { outcome: 'again' }
      const workMs = ports.clock() - begin
      const outcome = await afterError(ports, job, { shard, workMs, thrown: error }, log)
      if (outcome) return outcome
    } finally {
      watch.drop()
    }
    return stitchWhenDone(ports, ref, owner, drain, 'heard')
  }

/** Hears the shard and saves what was heard. */
async function hear(ports: ShardPorts, job: JobIn<'PROCESSING'>, n: number, signal: AbortSignal) {
  const plan = await readPlan(ports.objects, job)
  const shard = plan?.shards[n]
  const sound = plan && shard && (await loadSound(ports, job, shard, n, plan.durationMs))
  if (!shard || !sound) throw new VerbatimError('internal', `The sound of shard ${n} is gone.`)
  const { prompt } = job.options
  const heard = await hearShards(ports, job, sound, [shard], {
    ...(prompt !== undefined && { prompt }),
    language: plan.language?.code ?? 'en',
    signal,
  })
  await saveShard(ports.objects, job, n, heard)
  return { audioMs: soundMs(shard), engineMs: heard.engineMs, idleMs: heard.idleMs }
}

async function stopped(ports: ShardPorts, ref: JobRef, log: Log): Promise<WorkOutcome> {
  const job = await ports.jobs.get(ref.tenant, ref.jobId)
  log.info('job left', { code: 'stopped' })
  if (job?.status !== 'PROCESSING') await tidy(ports, ref, job?.status)
  return { outcome: 'stopped' }
}

/** What became of the delivery; undefined when the shard has ended, as a gap or by another worker. */
async function afterError(
  ports: ShardPorts,
  job: JobIn<'PROCESSING'>,
  { shard, workMs, thrown }: { shard: number; workMs: number; thrown: unknown },
  log: Log,
): Promise<WorkOutcome | undefined> {
  const error = knownError(thrown, log)
  const failures = await ports.shards.fail(job, shard)
  // The tally is gone, so the job has ended.
  if (failures === undefined) return stopped(ports, job, log)
  log.warn('shard failed', { code: error.code, attempt: failures, count: shard })
  // Another worker has heard it meanwhile.
  if ((await ports.shards.read(job))?.ended.includes(shard)) return undefined
  if (error.traits.retry && failures < ports.settings.maxFailures) return { outcome: 'again' }
  const outcome = await failedShard(ports, job, { shard, workMs, error })
  if (outcome === 'gap') return undefined
  if (outcome === 'failed') log.warn('job failed', { code: error.code })
  return { outcome: outcome === 'failed' ? 'failed' : 'stopped' }
}
