import type { Unit } from '../container/format.ts'

/** Times of containers are rounded and jitter; more than this between two units is a hole in the sound. */
const HOLE_MS = 150

/** A stream with more holes at once than this is not taken by its word: each costs a decoding. */
const MOST_RUNS = 8

/** Longest stretch that is decoded at once, ms: bounds the memory. */
const LONGEST_MS = 120_000

/** Before the place from which sound is wanted, decoding begins this much earlier: decoders must settle, seams be found. */
export const PRE_ROLL_MS = 400

/** Units that follow each other without a hole. The first may join what has been taken over already. */
export function runsOf(units: readonly Unit[]): Unit[][] {
  const runs: Unit[][] = []
  let before: Unit | undefined
  for (const unit of units) {
    const hole = before !== undefined && Math.abs(unit.ms - before.ms - before.durationMs) > HOLE_MS
    if (runs.length === 0 || ((unit.fresh || hole) && runs.length < MOST_RUNS)) runs.push([])
    runs.at(-1)!.push(unit)
    before = unit
  }
  return runs
}

/** A long run as parts, each of which begins a pre-roll before the end of the one in front. */
export function partsOf(run: readonly Unit[]): Unit[][] {
  const parts: Unit[][] = []
  for (let from = 0; from < run.length; ) {
    let to = from
    for (let ms = 0; to < run.length && (to === from || ms + run[to]!.durationMs <= LONGEST_MS); to++) {
      ms += run[to]!.durationMs
    }
    parts.push(run.slice(from, to))
    if (to === run.length) break
    from = Math.max(from + 1, placeBefore(run.slice(0, to), run[to]!.ms))
  }
  return parts
}

/** The last of the units that begins a pre-roll before `ms`, or the first. */
export function placeBefore(units: readonly Unit[], ms: number): number {
  const place = units.findLastIndex((unit) => unit.ms <= ms - PRE_ROLL_MS)
  return Math.max(0, place)
}
