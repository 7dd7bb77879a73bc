import { shardCount, shardTargetMs } from '../audio/shards.ts'
import type { Estimate } from '../contract.ts'
import { dollars } from '../cost.ts'
import type { BatchSettings, Pace } from '../settings.ts'
import { guessLengthMs } from './length-guess.ts'

export interface EstimatePorts {
  readonly settings: BatchSettings
  /** Of a host that measures its speed; in place of the settings' where it has an answer. */
  readonly pace?: () => Promise<Pace | undefined>
}

/** Writing the files, and all that takes no longer for a longer recording. Reckoned. */
export const REST_MS = 2000
/** Decoding and looking for pauses: 1,150 times real time for MP3 on one core of a server; half of that assumed. */
const PLAN_PER_AUDIO = 1 / 500

/** What this deployment knows about its speed now. */
export const paceOf = async ({ pace, settings }: EstimatePorts): Promise<Pace | undefined> =>
  (await pace?.()) ?? settings.pace

/** Time until the shards of a recording can be heard. */
export const planMs = (durationMs: number): number => durationMs * PLAN_PER_AUDIO

/** How many shards a recording with so much speech is cut into, about: pauses are where they are. */
export const shardsOf = (audioMs: number, settings: BatchSettings): number =>
  shardCount(audioMs, shardTargetMs([audioMs], settings))

/** Time for shards that take `shardWorkMs` each, so many at once: as many rounds as it takes, all of one length. */
export const roundsMs = (shards: number, workers: number, shardWorkMs: number): number =>
  Math.ceil(shards / Math.max(1, workers)) * shardWorkMs

/**
 * What a recording of that length takes, from the end of its upload, with workers that are all free and all cold. As if
 * someone spoke all the time: silence costs nothing, so it is rather less. `costUsd` is computing only.
 */
export function estimate(audioMs: number, settings: BatchSettings, pace: Pace): Omit<Estimate, 'basis'> {
  const shards = shardsOf(audioMs, settings)
  const workMs = audioMs * pace.workPerAudio
  // The worker that plans starts, and then those that hear; a single shard is heard by the one that has planned it.
  const startsMs = pace.startMs * (shards > 1 ? 2 : 1)
  const wallMs = startsMs + planMs(audioMs) + roundsMs(shards, pace.workers, workMs / shards) + REST_MS
  return {
    ...{ audioMs, shards, wallMs: Math.round(wallMs) },
    ...(pace.dollarsPerHour !== undefined && { costUsd: dollars(workMs, pace.dollarsPerHour) }),
  }
}

/** The quote for an upload; undefined where nothing is known about the speed. */
export async function quote(
  ports: EstimatePorts,
  request: { sizeBytes: number; contentType: string; filename: string; durationMs?: number | undefined },
): Promise<Estimate | undefined> {
  const pace = await paceOf(ports)
  if (!pace) return undefined
  const { settings } = ports
  const basis = request.durationMs === undefined ? 'size' : 'duration'
  // Nothing longer is taken.
  const audioMs = Math.min(request.durationMs ?? guessLengthMs(request), settings.maxDurationMs)
  return { basis, ...estimate(audioMs, settings, pace) }
}
