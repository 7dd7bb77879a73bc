import type { JobIn } from '../job.ts'
import type { ShardTally } from '../ports.ts'
import type { Pace } from '../settings.ts'
import { planMs, REST_MS, roundsMs } from './estimate.ts'

/** What its owner sees of a job that is being worked on. */
export interface HowFar {
  /** Share of the speech that is transcribed, below 1; never goes down. */
  readonly progress: number
  readonly shards?: { readonly done: number; readonly total: number }
  /** Milliseconds of the recording for each millisecond since the work began. */
  readonly speed?: number
  readonly remainingMs?: number
}

type Running = JobIn<'PROCESSING'>
type Sharded = Running & { shards: NonNullable<Running['shards']> }

/** 1 is for a transcript that can be fetched. */
const MOST = 0.999

/** Pure. `tally` is there for jobs that were cut into shards. */
export function howFar(
  job: Running,
  { tally, nowMs, pace }: { tally?: ShardTally | undefined; nowMs: number; pace?: Pace | undefined },
): HowFar {
  const elapsedMs = Math.max(0, nowMs - job.startedAt)
  if (!isSharded(job)) return inOnePiece(job, elapsedMs, pace)
  // A job that was restored without its tally: the record still says something.
  if (!tally) return { progress: Math.min(MOST, job.progress) }
  const share = job.shards.audioMs > 0 ? tally.audioMs / job.shards.audioMs : 0
  const progress = Math.min(MOST, Math.max(job.progress, share))
  const leftMs = remainingOf(job, tally, elapsedMs, pace)
  return {
    progress,
    shards: { done: tally.ended.length, total: job.shards.total },
    ...speedOf(progress, job.durationMs, elapsedMs),
    ...(leftMs !== undefined && { remainingMs: Math.round(leftMs) }),
  }
}

const isSharded = (job: Running): job is Sharded => job.shards !== undefined

function inOnePiece(job: Running, elapsedMs: number, pace: Pace | undefined): HowFar {
  const progress = Math.min(MOST, job.progress)
  // Written together with the progress: between two windows time passes and neither goes up.
  const workedMs = job.workMs ?? elapsedMs
  const wholeMs = progress > 0 ? workedMs / progress : paced(job.durationMs, pace)
  const sinceMs = progress > 0 ? workedMs : elapsedMs
  return {
    progress,
    ...speedOf(progress, job.durationMs, workedMs),
    ...(wholeMs !== undefined && { remainingMs: Math.round(Math.max(0, wholeMs - sinceMs) + REST_MS) }),
  }
}

const paced = (durationMs: number | undefined, pace: Pace | undefined): number | undefined =>
  durationMs === undefined || !pace ? undefined : planMs(durationMs) + durationMs * pace.workPerAudio

/** Three digits: more would only flicker. */
function speedOf(progress: number, durationMs: number | undefined, tookMs: number): Pick<HowFar, 'speed'> {
  if (progress === 0 || durationMs === undefined || tookMs <= 0) return {}
  return { speed: Number(((progress * durationMs) / tookMs).toPrecision(3)) }
}

/**
 * Time until the end. Shards that run side by side end side by side, so what has ended by now says little about how
 * many are nearly there: the whole is reckoned anew, from what a shard takes and how many are heard at once, less the
 * time that has passed. Both are the deployment's pace until there is something to see.
 */
function remainingOf(
  { shards: { total, audioMs }, durationMs = audioMs }: Sharded,
  tally: ShardTally,
  elapsedMs: number,
  pace: Pace | undefined,
): number | undefined {
  if (tally.ended.length >= total) return REST_MS
  const workPerAudio = tally.audioMs > 0 ? tally.workMs / tally.audioMs : pace?.workPerAudio
  if (workPerAudio === undefined) return undefined
  const shardWorkMs = (workPerAudio * audioMs) / total
  const beganMs = planMs(durationMs) + (pace?.startMs ?? 0)
  const workers = workersSeen(tally, elapsedMs - beganMs, shardWorkMs, pace?.workers) ?? pace?.workers
  if (workers === undefined) return undefined
  const wholeMs = beganMs + roundsMs(total, workers, shardWorkMs) + REST_MS
  return Math.max(REST_MS, wholeMs - elapsedMs)
}

/** Those that begin together end together: just before they do, a third of what they do is not yet to be seen. */
const SURELY_FEWER = 0.6

/**
 * How many workers there must have been for what has ended in that time: those that are at a shard have done half of
 * it, on average. `most` unless it is surely fewer. Undefined before the first round must be over.
 */
function workersSeen(
  { workMs }: ShardTally,
  runningMs: number,
  shardWorkMs: number,
  most = Number.POSITIVE_INFINITY,
): number | undefined {
  const countedMs = runningMs - shardWorkMs / 2
  if (workMs === 0 || countedMs < shardWorkMs) return undefined
  const seen = Math.max(1, Math.round(workMs / countedMs))
  return most === Number.POSITIVE_INFINITY || seen < most * SURELY_FEWER ? seen : most
}
