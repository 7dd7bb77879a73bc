import type { Cost } from './cached.ts'
import type { Tally } from './judge.ts'

/** One recording, heard in several ways. */
export interface Result {
  readonly name: string
  readonly minutes: number
  readonly words: number
  readonly uncut: number
  /** Each way of cutting, before and after mending. */
  readonly one: Mended
  readonly shards: Mended
}

export interface Mended {
  readonly before: Tally
  readonly after: Tally
  readonly windows: number
  readonly shards: number
  readonly checked: number
  readonly repaired: number
}

const COLUMNS = ['recording', 'min', 'words', 'uncut', 'one piece', 'shards', 'cuts', 'seams'] as const
const CUTS = ['at shard cuts', 'at window cuts'] as const

/** Word errors, and words lost or extra at cuts: before > after mending, in brackets those only the cut recording has. */
export function table(results: readonly Result[]): string {
  const rows = results.map(rowOf)
  const heads = [...COLUMNS, ...CUTS]
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [heads, ...rows].map(line).join('\n')
}

function rowOf({ name, minutes, words, uncut, one, shards }: Result): string[] {
  const errors = ({ before, after }: Mended) => `${before.errors} > ${after.errors}`
  const { before, after } = shards
  return [
    name,
    minutes.toFixed(1),
    String(words),
    String(uncut),
    errors(one),
    errors(shards),
    `${shards.shards - 1} + ${shards.windows - shards.shards}`,
    `${shards.repaired} of ${shards.checked}`,
    `${before.atShardCuts} (${before.atShardCutsOnly}) > ${after.atShardCuts} (${after.atShardCutsOnly})`,
    `${before.atWindowCuts} (${before.atWindowCutsOnly}) > ${after.atWindowCuts} (${after.atWindowCutsOnly})`,
  ]
}

/** All recordings as one. */
export function total(results: readonly Result[]): Result {
  const sum = (of: (result: Result) => number) => results.reduce((all, result) => all + of(result), 0)
  const tally = (of: (result: Result) => Tally): Tally => ({
    errors: sum((result) => of(result).errors),
    atShardCuts: sum((result) => of(result).atShardCuts),
    atShardCutsOnly: sum((result) => of(result).atShardCutsOnly),
    atWindowCuts: sum((result) => of(result).atWindowCuts),
    atWindowCutsOnly: sum((result) => of(result).atWindowCutsOnly),
  })
  const mended = (of: (result: Result) => Mended): Mended => ({
    before: tally((result) => of(result).before),
    after: tally((result) => of(result).after),
    // A recording of n windows has n - 1 cuts between them.
    windows: sum((result) => of(result).windows - 1) + 1,
    shards: sum((result) => of(result).shards - 1) + 1,
    checked: sum((result) => of(result).checked),
    repaired: sum((result) => of(result).repaired),
  })
  return {
    name: 'all',
    minutes: sum(({ minutes }) => minutes),
    words: sum(({ words }) => words),
    uncut: sum(({ uncut }) => uncut),
    one: mended(({ one }) => one),
    shards: mended(({ shards }) => shards),
  }
}

export function costLine(costs: Readonly<Record<string, Cost>>): string {
  return Object.entries(costs)
    .map(([name, { requests, ms }]) => `${name} ${requests} requests, ${(ms / 1000).toFixed(0)} s`)
    .join('; ')
}
