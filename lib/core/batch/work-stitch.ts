import { VerbatimError } from '../errors.ts'
import type { JobIn } from '../job.ts'
import type { JobRef } from '../keys.ts'
import type { Log, ShardStore, ShardTally } from '../ports.ts'
import { dropWork, gapsOf, gatherShards, type StitchPorts, stitch } from './5-stitch.ts'
import { finishJob } from './finish-job.ts'
import { type Hold, holdJob, type LeasePorts, type Lost, takeToStitch } from './lease.ts'
import { giveBack, giveUp, type LeavePorts, leave, tidy } from './leave.ts'
import type { SpeakerPorts } from './name-speakers.ts'
import { readPlan } from './plan-store.ts'
import type { WorkOutcome } from './work-outcome.ts'

export interface StitchWorkPorts extends LeasePorts, StitchPorts, SpeakerPorts, LeavePorts {
  readonly log: Log
  readonly shards: ShardStore
  readonly settings: StitchPorts['settings']
}

/**
 * Joins the shards of a job when all of them have ended, and not otherwise. Called by everyone who has ended a shard, by
 * the one who has announced them, and again by repeated messages of either, so somebody sees the tally complete; of those
 * who do the job's lease lets one through at a time, and COMPLETED is written once.
 *
 * `otherwise`: what the caller's work was worth when there is nothing to join yet.
 */
export async function stitchWhenDone(
  ports: StitchWorkPorts,
  ref: JobRef,
  owner: string,
  drain: AbortSignal,
  otherwise: WorkOutcome['outcome'] = 'nothing-to-do',
): Promise<WorkOutcome> {
  const tally = await ports.shards.read(ref)
  const job = await ports.jobs.get(ref.tenant, ref.jobId)
  if (job?.status !== 'PROCESSING') {
    await tidy(ports, ref, job?.status)
    await ports.ended?.(ref)
    return { outcome: otherwise }
  }
  // It was there before the record named shards, and goes when the job has ended.
  if (!tally) throw new VerbatimError('internal', 'The tally of a job is gone.')
  if (tally.ended.length < (job.shards?.total ?? Number.POSITIVE_INFINITY)) return { outcome: otherwise }

  const taken = await takeToStitch(ports, ref, owner)
  if (taken.outcome === 'busy') return { outcome: 'again' }
  if (taken.outcome === 'sharded') return { outcome: otherwise }
  if (taken.outcome !== 'taken') return stitchWhenDone(ports, ref, owner, drain, otherwise)
  return stitchTaken(ports, taken.job, tally, owner, drain)
}

async function stitchTaken(
  ports: StitchWorkPorts,
  job: JobIn<'PROCESSING'>,
  tally: ShardTally,
  owner: string,
  drain: AbortSignal,
): Promise<WorkOutcome> {
  const { jobId, tenant } = job
  const log = ports.log.with({ jobId, tenant })
  const hold = holdJob(ports, job, owner)
  let outcome: 'finished' | Lost
  try {
    drain.throwIfAborted()
    outcome = await join(ports, job, tally, hold, log)
  } catch (error) {
    if (hold.lost) return await leave(ports, job, hold.lost, log)
    return drain.aborted ? await giveBack(ports, job, hold, log) : await giveUp(ports, job, hold, error, log)
  } finally {
    hold.drop()
  }
  if (outcome !== 'finished') return leave(ports, job, outcome, log)
  await dropWork(ports, job)
  await ports.ended?.(job)
  return { outcome: 'completed' }
}

async function join(
  ports: StitchWorkPorts,
  job: JobIn<'PROCESSING'>,
  tally: ShardTally,
  hold: Hold,
  log: Log,
): Promise<'finished' | Lost> {
  const begin = ports.clock()
  const plan = await readPlan(ports.objects, job)
  if (!plan) throw new VerbatimError('internal', 'The plan of a job is gone.')
  const [first] = tally.failed
  if (first && tally.failed.length === plan.shards.length) {
    throw new VerbatimError(first.code, 'No part of the recording could be transcribed.')
  }
  const heard = await gatherShards(ports.objects, job, plan, tally)
  const joined = stitch(ports, job, plan, heard, gapsOf(job, plan, tally.failed))
  const workMs = (job.workMs ?? 0) + tally.workMs + ports.clock() - begin
  const took = { audioMs: tally.audioMs, workMs, engineMs: (job.engineMs ?? 0) + tally.engineMs }
  return finishJob(ports, job, joined, took, hold, log)
}
