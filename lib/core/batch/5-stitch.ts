import { dollars } from '../cost.ts'
import { VerbatimError } from '../errors.ts'
import type { Job, JobIn, Usage } from '../job.ts'
import { type JobRef, transcriptKey, workKey, workPrefix } from '../keys.ts'
import type { Clock, Engine, ObjectStore, ShardStore, ShardTally } from '../ports.ts'
import type { BatchSettings } from '../settings.ts'
import { assemble } from '../transcript/assemble.ts'
import { guardSegments } from '../transcript/guards.ts'
import { mendSeams } from '../transcript/seams.ts'
import type { Gap, Transcript } from '../transcript/shape.ts'
import { CONTENT_TYPES, write } from '../transcript/write.ts'
import { type HeardShard, type HeardWindow, SavedShard } from './4-shard.ts'
import { inParallel } from './in-parallel.ts'
import type { SpokenLanguage } from './language.ts'
import type { Hold, Lost } from './lease.ts'
import { parseJson } from './parse-json.ts'
import { rangeOf, type StoredPlan } from './plan-store.ts'

export interface StitchPorts {
  readonly objects: ObjectStore
  readonly engine: Engine
  readonly clock: Clock
  readonly settings: BatchSettings
}

/** What is known of a recording besides what was heard. */
export interface Planned {
  readonly durationMs: number
  readonly truncated: boolean
  readonly language: SpokenLanguage | null
  readonly shards: StoredPlan['shards']
}

/** Results are read so many at a time. */
const READS = 16

const resultKey = (ref: JobRef, shard: number) => workKey(ref, `shards/${shard}.json`)

/** Keeps what was heard of a shard for the worker that joins them. */
export async function saveShard(
  objects: Pick<ObjectStore, 'put'>,
  ref: JobRef,
  shard: number,
  { windows, seams }: HeardShard,
): Promise<void> {
  await objects.put(resultKey(ref, shard), JSON.stringify({ windows, seams }), 'application/json')
}

/** What was heard of all shards but the failed ones, in the order of the plan. */
export async function gatherShards(
  objects: Pick<ObjectStore, 'get'>,
  ref: JobRef,
  { shards }: Pick<Planned, 'shards'>,
  { failed }: Pick<ShardTally, 'failed'>,
): Promise<Pick<HeardShard, 'windows' | 'seams'>> {
  const lost = new Set(failed.map(({ shard }) => shard))
  const wanted = shards.map((_, n) => n).filter((n) => !lost.has(n))
  const heard = await inParallel(wanted, READS, async (n) => {
    const bytes = await objects.get(resultKey(ref, n))
    const saved = bytes && SavedShard.safeParse(parseJson(bytes))
    if (saved?.success) return saved.data
    throw new VerbatimError('internal', `The result of shard ${n} cannot be read.`, { cause: saved?.error })
  })
  return { windows: heard.flatMap(({ windows }) => windows), seams: heard.flatMap(({ seams }) => seams) }
}

/** The stretches of the shards that nobody could hear. */
export const gapsOf = (job: Job, { shards }: Pick<Planned, 'shards'>, failed: ShardTally['failed']): Gap[] =>
  failed
    .map(({ shard, code }) => {
      const { channel } = shards[shard]!
      return { ...rangeOf(shards[shard]!), ...(job.options.channels === 'separate' && { channel }), code }
    })
    .toSorted((a, b) => a.startMs - b.startMs || (a.channel ?? 0) - (b.channel ?? 0))

/**
 * Joins what was heard into the transcript: less what the engine most likely made up, seams mended, words on the clock
 * of the recording and in order.
 */
export function stitch(
  { engine, clock }: Pick<StitchPorts, 'engine' | 'clock'>,
  job: Job,
  planned: Planned,
  heard: Pick<HeardShard, 'windows' | 'seams'>,
  gaps: readonly Gap[] = [],
): Transcript {
  const { durationMs, truncated, language, shards } = planned
  const mended = mend(heard)
  const warnings = [...(truncated ? ['truncated'] : []), ...(gaps.length > 0 ? ['partial'] : [])]
  const transcript = assemble({
    jobId: job.jobId,
    createdAt: new Date(clock()).toISOString(),
    ...{ durationMs, language, warnings, windows: mended.windows },
    engine: engine.info,
    separate: job.options.channels === 'separate',
  })
  return {
    ...transcript,
    ...(gaps.length > 0 && { gaps: [...gaps] }),
    statistics: {
      shards: shards.length,
      windows: heard.windows.length,
      seams: { checked: heard.seams.length, repaired: mended.repaired },
    },
  }
}

/** Each channel by itself: its windows in order, and what was heard around the places where they meet. */
function mend({ windows, seams }: Pick<HeardShard, 'windows' | 'seams'>) {
  const channels = Map.groupBy(windows, ({ channel }) => channel)
  const mended = Array.from(channels, ([channel, own]) => {
    const inOrder = own.toSorted((a, b) => a.startMs - b.startMs).map(guarded)
    return mendSeams(inOrder, seams.filter((seam) => seam.channel === channel).map(guarded))
  })
  return {
    windows: mended.flatMap((one) => one.windows),
    repaired: mended.reduce((sum, one) => sum + one.repaired, 0),
  }
}

/** Less what the engine has made up. */
const guarded = <H extends HeardWindow>(heard: H): H => ({
  ...heard,
  segments: guardSegments(heard.segments).kept,
})

/** Writes the files, then moves the job to COMPLETED: whoever sees COMPLETED can download. */
export async function publish(
  { objects, clock, settings }: StitchPorts,
  job: JobIn<'PROCESSING'>,
  transcript: Transcript,
  took: Pick<Usage, 'audioMs' | 'workMs' | 'engineMs'>,
  hold: Hold,
): Promise<'finished' | Lost> {
  const formats = new Set([...job.options.formats, 'json' as const])
  await Promise.all(
    Array.from(formats, (format) =>
      objects.put(transcriptKey(job, format), write(transcript, format), CONTENT_TYPES[format]),
    ),
  )
  const completedAt = clock()
  const { durationMs, language, gaps, statistics } = transcript
  return hold.finish(({ startedAt }) => ({
    ...{ status: 'COMPLETED', startedAt, completedAt, durationMs },
    ...(language && { language: language.code }),
    ...(gaps && { gaps }),
    usage: {
      ...roundedUsage(took),
      wallMs: completedAt - startedAt,
      shards: statistics?.shards ?? 1,
      ...costOf(took.workMs, settings),
    },
  }))
}

const roundedUsage = ({ audioMs, workMs, engineMs }: Pick<Usage, 'audioMs' | 'workMs' | 'engineMs'>) => ({
  ...{ audioMs: Math.round(audioMs), workMs: Math.round(workMs), engineMs: Math.round(engineMs) },
})

const costOf = (workMs: number, { dollarsPerHour }: BatchSettings): Pick<Usage, 'costUsd'> =>
  dollarsPerHour === undefined ? {} : { costUsd: dollars(workMs, dollarsPerHour) }

/** What workers have left for each other is of no use once a job has ended. */
export async function dropWork(
  { objects, shards }: { objects: ObjectStore; shards: Pick<ShardStore, 'remove'> },
  ref: JobRef,
): Promise<void> {
  await objects.remove(await objects.list(workPrefix(ref)))
  await shards.remove(ref)
}
