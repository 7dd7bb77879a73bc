import { VerbatimError } from '../errors.ts'
import type { Job, JobIn } from '../job.ts'
import type { JobRef } from '../keys.ts'
import type { Log, Queue, Recording, ShardStore, SoundPacker } from '../ports.ts'
import { type Plan, type PlanPorts, planRecording } from './3-plan.ts'
import { type HearPorts, hearShards } from './4-shard.ts'
import { dropWork, type StitchPorts, stitch } from './5-stitch.ts'
import { failAbandoned } from './abandoned.ts'
import { distribute, sendShards } from './distribute.ts'
import { finishJob } from './finish-job.ts'
import { decideLanguage } from './language.ts'
import { type Hold, holdJob, type LeasePorts, type Lost, released, takeJob } from './lease.ts'
import { giveBack, giveUp, type LeavePorts, leave, tidy } from './leave.ts'
import type { LongWork, WorkMessage } from './messages.ts'
import type { SpeakerPorts } from './name-speakers.ts'
import { soundMs } from './plan-store.ts'
import type { WorkOutcome } from './work-outcome.ts'
import { stitchWhenDone } from './work-stitch.ts'

export interface JobPorts extends LeasePorts, PlanPorts, HearPorts, StitchPorts, SpeakerPorts, LeavePorts {
  readonly log: Log
  readonly shards: ShardStore
  /** Where the shards of a long recording are announced. */
  readonly shardWork: Queue
  readonly packer: SoundPacker
  /** Only of a worker that must leave long recordings to others. */
  readonly longWork?: LongWork
  readonly settings: PlanPorts['settings']
}

/** The worker's time so far, earlier attempts included. */
type Worked = () => number

/**
 * Takes a job and plans it. A short one it brings to its end; of a long one it stores the shards, announces them and lets
 * go. Passing errors give the job back for another attempt, lasting ones (and too many passing ones) end it as FAILED.
 */
export const workOnJob =
  (ports: JobPorts) =>
  async (ref: JobRef, owner: string, drain: AbortSignal): Promise<WorkOutcome> => {
    const taken = await takeJob(ports, ref, owner)
    if (taken.outcome === 'busy') return { outcome: 'again' }
    if (taken.outcome === 'sharded') return stitchWhenDone(ports, ref, owner, drain)
    if (taken.outcome !== 'taken') {
      await tidy(ports, ref, taken.outcome === 'past' ? taken.job.status : undefined)
      await ports.ended?.(ref)
      return { outcome: 'nothing-to-do' }
    }

    const log = ports.log.with({ jobId: ref.jobId, tenant: ref.tenant })
    log.info('job taken', { attempt: taken.job.attempt })
    if (taken.job.attempt > ports.settings.maxAttempts) {
      log.error('job abandoned', { code: await failAbandoned(ports)(ref, { by: owner }) })
      await ports.ended?.(ref)
      return { outcome: 'failed' }
    }
    const hold = holdJob(ports, ref, owner)
    let outcome: 'finished' | 'sharded' | Lost
    try {
      outcome = await process(ports, taken.job, hold, AbortSignal.any([hold.signal, drain]), log)
    } catch (error) {
      return await afterError(ports, ref, hold, drain, error, log)
    } finally {
      hold.drop()
    }
    // Not in the try: the job is COMPLETED, or its shards are on their way, and no error may undo that. The next delivery
    // does what is left undone here.
    if (outcome === 'sharded') return stitchWhenDone(ports, ref, owner, drain, 'sharded')
    if (outcome !== 'finished') return leave(ports, ref, outcome, log)
    await dropWork(ports, ref)
    await ports.ended?.(ref)
    return { outcome: 'completed' }
  }

/** The recording is longer than this worker may hear. */
class TooLongHere extends Error {}

/** Decodes at most what this worker may hear: one sample more is all it needs to know. */
async function planHere(ports: JobPorts, job: Job, signal: AbortSignal) {
  const { settings, longWork } = ports
  const maxDurationMs = Math.min(settings.maxDurationMs, longWork?.fromMs ?? Infinity)
  try {
    return await planRecording({ ...ports, settings: { ...settings, maxDurationMs } }, job, signal)
  } catch (error) {
    const tooLong = error instanceof VerbatimError && error.code === 'too-long'
    throw tooLong && maxDurationMs < settings.maxDurationMs ? new TooLongHere() : error
  }
}

async function process(
  ports: JobPorts,
  job: JobIn<'PROCESSING'>,
  hold: Hold,
  signal: AbortSignal,
  log: Log,
): Promise<'finished' | 'sharded' | Lost> {
  // An earlier attempt has stored everything: what is missing is telling the others.
  if (job.shards) return sendShards(ports, job, job.shards, hold, signal)
  const begin = ports.clock()
  const worked = () => (job.workMs ?? 0) + ports.clock() - begin
  const plan = await planHere(ports, job, signal)
  try {
    const { durationMs } = plan.recording
    hold.note({ durationMs })
    log.info('recording planned', {
      audioMs: durationMs,
      count: plan.shards.length,
      ms: ports.clock() - begin,
    })
    if (plan.short) return await hearAtOnce(ports, job, plan, hold, signal, worked, log)
    const { language } = await languageOf(ports, job, plan, hold, signal, log)
    const outcome = await distribute(ports, job, { ...plan, language, worked }, hold, signal)
    if (outcome === 'sharded')
      log.info('shards sent', { count: plan.shards.length, ms: ports.clock() - begin })
    return outcome
  } finally {
    hold.note({ workMs: worked() })
    await plan.recording.dispose()
  }
}

async function languageOf(
  { engine, clock }: JobPorts,
  job: Job,
  plan: Plan & { recording: Recording },
  hold: Hold,
  signal: AbortSignal,
  log: Log,
) {
  const begin = clock()
  const language = await decideLanguage(engine, plan, job.options.language, signal)
  const engineMs = Math.max(0, clock() - begin)
  hold.note({ engineMs, ...(language && { language: language.code }) })
  log.info('language decided', { ms: engineMs })
  return { language, engineMs }
}

async function hearAtOnce(
  ports: JobPorts,
  job: JobIn<'PROCESSING'>,
  plan: Plan & { recording: Recording },
  hold: Hold,
  signal: AbortSignal,
  worked: Worked,
  log: Log,
): Promise<'finished' | Lost> {
  const { recording, shards } = plan
  const { language, engineMs } = await languageOf(ports, job, plan, hold, signal, log)
  const { prompt } = job.options
  const heard = await hearShards(ports, job, recording, shards, {
    ...(prompt !== undefined && { prompt }),
    language: language?.code ?? 'en',
    signal,
    onHeard: (share) => hold.note({ progress: share, workMs: worked() }),
  })
  const joined = stitch(ports, job, { ...recording, language, shards }, heard)
  const audioMs = shards.reduce((sum, shard) => sum + soundMs(shard), 0)
  const workMs = worked() - heard.idleMs
  const took = { audioMs, workMs, engineMs: heard.engineMs + engineMs }
  return finishJob(ports, job, joined, took, hold, log)
}

/** Stopped, too long for this worker, or a failure. */
async function afterError(
  ports: JobPorts,
  ref: JobRef,
  hold: Hold,
  drain: AbortSignal,
  thrown: unknown,
  log: Log,
): Promise<WorkOutcome> {
  if (hold.lost) return leave(ports, ref, hold.lost, log)
  if (drain.aborted) return giveBack(ports, ref, hold, log)
  if (!(thrown instanceof TooLongHere)) return giveUp(ports, ref, hold, thrown, log)
  const outcome = await hold.finish((job) => ({ ...job, lease: released(ports) }))
  return outcome === 'finished' ? sendOn(ports, ref, log) : leave(ports, ref, outcome, log)
}

/** The job is released by now: if this fails, its message comes again, and the same is found out again. */
async function sendOn({ longWork }: JobPorts, { tenant, jobId }: JobRef, log: Log): Promise<WorkOutcome> {
  await longWork?.queue.send(JSON.stringify({ tenant, jobId } satisfies WorkMessage))
  log.info('job sent to the workers of long recordings')
  return { outcome: 'elsewhere' }
}
