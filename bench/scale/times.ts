import * as z from 'zod'
import { cutShards, shardTargetMs, speechMs } from '../../lib/core/audio/shards.ts'
import type { Region, VoiceTrack } from '../../lib/core/audio/voice.ts'
import { cutWindows } from '../../lib/core/audio/windows.ts'
import { DEFAULT_SETTINGS } from '../../lib/core/settings.ts'
import { randomFrom } from '../../test/support/random.ts'
import type { Machine } from './machines.ts'
import { passMs, type ShardTime } from './play.ts'

/** What `bench/long.ts --times` writes: the shards of one recording, as workers heard them. */
export const Times = z.object({
  shards: z.array(z.object({ audioMs: z.number().positive(), workMs: z.number().positive() })).min(1),
})

/** Measured shards again and again until there are so many hours, at another model's speed. */
export function stretched(shards: readonly ShardTime[], hours: number, workPerAudio: number): ShardTime[] {
  const factor = factorOf(shards, workPerAudio)
  const long: ShardTime[] = []
  for (let n = 0, ms = 0; ms < hours * 3_600_000; n++) {
    const { audioMs, workMs } = shards[n % shards.length]!
    long.push({ audioMs, workMs: workMs * factor })
    ms += audioMs
  }
  return long
}

/** What the work is to be multiplied with, so that a second of sound takes so much. */
function factorOf(shards: readonly ShardTime[], workPerAudio: number): number {
  const total = (of: (shard: ShardTime) => number) => shards.reduce((sum, shard) => sum + of(shard), 0)
  return (workPerAudio * total(({ audioMs }) => audioMs)) / total(({ workMs }) => workMs)
}

/** How windows differ that are equally long: words in them (this share, up or down), and rests that are heard again. */
const SPREAD = 0.3
/** 4 of 53 windows: docs/adr/0002-windows-cut-at-pauses.md. */
const AGAIN = 4 / 53

/** Talk of so many hours, cut as the planner cuts it; the work of each window drawn at random around the machine's. */
export function drawn(machine: Machine, hours: number, shardMs: number, seed = 1): ShardTime[] {
  const track = talk(hours, seed)
  const windows = cutWindows(track)
  const targetMs = shardTargetMs([speechMs(windows)], { ...DEFAULT_SETTINGS, shardMs })
  const shards = cutShards(track, { targetMs, windows })
  const random = randomFrom(seed)
  const times = shards.map((windows) => {
    const lengths = windows.map(({ startMs, endMs }) => endMs - startMs)
    const audioMs = lengths.reduce((sum, ms) => sum + ms, 0)
    return { audioMs, workMs: lengths.reduce((sum, ms) => sum + windowMs(machine, ms, random), 0) }
  })
  // Work per audio is what others have measured with all of that in it.
  const factor = factorOf(times, machine.workPerAudio)
  return times.map(({ audioMs, workMs }) => ({ audioMs, workMs: workMs * factor }))
}

function windowMs(machine: Machine, ms: number, random: () => number): number {
  const words = machine.workPerAudio * (1 - machine.passShare) * ms * Math.exp(SPREAD * normal(random))
  return (passMs(machine) + words) * (random() < AGAIN ? 1.5 : 1)
}

/**
 * Somebody who speaks and pauses: lengths of pauses are log-normal, most between 0.2 and 1 s (E. Campione and J. Véronis,
 * Speech Prosody 2002). No silence that is long enough to be left out, so an hour has an hour of windows.
 */
function talk(hours: number, seed: number): VoiceTrack {
  const random = randomFrom(seed)
  const draw = (medianMs: number, spread: number, [least, most]: readonly [number, number]) =>
    Math.round(Math.min(most, Math.max(least, medianMs * Math.exp(spread * normal(random)))))
  const regions: Region[] = []
  const durationMs = hours * 3_600_000
  for (let atMs = 0; atMs < durationMs; ) {
    const endMs = Math.min(durationMs, atMs + draw(3_000, 0.6, [500, 12_000]))
    regions.push({ startMs: atMs, endMs })
    atMs = endMs + draw(300, 0.8, [20, 4_000])
  }
  return { regions, level: () => -20, durationMs }
}

/** Box and Muller's method. */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
