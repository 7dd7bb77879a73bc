import { wordErrors } from '../../test/support/wer.ts'
import { folded, matchWords, type Timed } from '../live/align.ts'
import type { Cuts } from './cuts.ts'

/** What lies so near a cut may be its doing. */
export const NEAR_MS = 300
/** How far the engine may be off about when the same word was said. */
const SAME_MS = 1_000

export interface Fault extends Timed {
  readonly kind: 'lost' | 'extra'
}

export interface Tally {
  readonly errors: number
  /** Lost or extra at a cut, and those of them that the uncut recording was not heard with as well. */
  readonly atShardCuts: number
  readonly atShardCutsOnly: number
  readonly atWindowCuts: number
  readonly atWindowCutsOnly: number
}

/** Compares a hearing with what was said, and the faults at its cuts with those of another hearing. */
export function judge(
  said: readonly Timed[],
  heard: readonly Timed[],
  { shardCuts, windowCuts }: Pick<Cuts, 'shardCuts' | 'windowCuts'>,
  uncut: readonly Fault[],
): Tally {
  const faults = faultsOf(said, heard)
  const [atShards, atWindows] = [atCuts(faults, shardCuts), atCuts(faults, windowCuts)]
  return {
    errors: errorsOf(said, heard),
    atShardCuts: atShards.length,
    atShardCutsOnly: notIn(atShards, uncut).length,
    atWindowCuts: atWindows.length,
    atWindowCutsOnly: notIn(atWindows, uncut).length,
  }
}

const textOf = (words: readonly Timed[]): string => words.map(({ text }) => text).join(' ')

export const errorsOf = (said: readonly Timed[], heard: readonly Timed[]): number =>
  wordErrors(textOf(said), textOf(heard)).errors

/** Every word of the reference that was not heard, and every heard one that nobody said. */
export function faultsOf(said: readonly Timed[], heard: readonly Timed[]): Fault[] {
  const [truth, told] = [folded(said), folded(heard)]
  const matches = matchWords(truth, told)
  const matched = new Set(matches)
  return [
    ...truth.filter((_, i) => matches[i] === -1).map((word) => ({ ...word, kind: 'lost' as const })),
    ...told.filter((_, i) => !matched.has(i)).map((word) => ({ ...word, kind: 'extra' as const })),
  ]
}

/** The faults that touch the surroundings of a cut. */
export const atCuts = (faults: readonly Fault[], cuts: readonly number[]): Fault[] =>
  faults.filter(({ startMs, endMs }) =>
    cuts.some((atMs) => startMs < atMs + NEAR_MS && endMs > atMs - NEAR_MS),
  )

/** Those that another hearing of the same sound has not got wrong in the same way. */
export const notIn = (faults: readonly Fault[], others: readonly Fault[]): Fault[] =>
  faults.filter(
    (fault) =>
      !others.some(
        (other) =>
          other.kind === fault.kind &&
          other.text === fault.text &&
          Math.abs(other.startMs - fault.startMs) <= SAME_MS,
      ),
  )
