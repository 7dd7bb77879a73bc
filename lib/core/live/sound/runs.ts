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

/** How much earlier a place may be for the sake of its phase. */
const LOOK_BACK_MS = 1_500
const SAMPLES_PER_MS = 16
/** Of a sample: nearer is the same phase. */
const SAME_PHASE = 0.02

/**
 * Where among the units of a run to begin so as to go on at `ms`: at least a pre-roll before, or with the first. Frames
 * of AAC and MP3 do not begin on whole samples at 16 kHz; a place is chosen whose samples fall where those of the run
 * fell (as nearly as there is one), so that the two fit at the seam in high frequencies too.
 */
export function placeBefore(units: readonly Unit[], ms: number): number {
  const latest = Math.max(
    0,
    units.findLastIndex((unit) => unit.ms <= ms - PRE_ROLL_MS),
  )
  let best = latest
  for (let i = latest; i >= 0 && units[i]!.ms >= units[latest]!.ms - LOOK_BACK_MS; i--) {
    if (phaseAt(units, i) < phaseAt(units, best) - SAME_PHASE) best = i
    if (phaseAt(units, best) < SAME_PHASE) break
  }
  return best
}

/** How far off the first unit's samples those of another one are, in samples: 0 to 0.5. */
function phaseAt(units: readonly Unit[], i: number): number {
  const samples = (units[i]!.ms - units[0]!.ms) * SAMPLES_PER_MS
  return Math.abs(samples - Math.round(samples))
}
