import { breakCost, type Unit } from './breaks.ts'

export interface Limits {
  readonly lineColumns: number
  /** The first line of a caption may have to share with the speaker's name. */
  readonly firstLineColumns: number
  readonly longestMs: number
}

/** Words that go into one caption, line by line. */
export type Lines = readonly (readonly Unit[])[]

// Costs on the scale of breaks.ts: one more caption is worth less than a break at a bad place.
const CAPTION = 20
const UNUSED_ROOM = 15
const UNEVEN_LINES = 20

/**
 * Divides the words into captions of at most two lines so that the breaks together cost least: at the end of a
 * sentence first, then at a clause, then before a connective, else of even length (the optimal breaking of Knuth
 * and Plass, Breaking Paragraphs into Lines, 1981, with these costs). `joined[i]` says that unit i goes on the
 * word of unit i − 1.
 */
export function layOut(units: readonly Unit[], joined: readonly boolean[], limits: Limits): Lines[] {
  const text = measure(units)
  const costs = units.map((unit, i) => (i === 0 ? 0 : breakCost(units[i - 1]!, unit, joined[i]!)))
  const room = limits.firstLineColumns + limits.lineColumns
  const best: { cost: number; from: number; cuts: number[] }[] = [{ cost: 0, from: 0, cuts: [] }]
  for (let end = 1; end <= units.length; end++) {
    for (let from = end - 1; from >= 0; from--) {
      const width = text(from, end)
      const tooLong = units[end - 1]!.endMs - units[from]!.startMs > limits.longestMs
      if (from < end - 1 && (width > room || tooLong)) break
      const cuts = lineBreak(from, end, text, costs, limits)
      if (!cuts) continue
      const unused = Math.max(0, 1 - width / room)
      const cost = best[from]!.cost + costs[from]! + CAPTION + UNUSED_ROOM * unused ** 2
      if (cost < (best[end]?.cost ?? Number.POSITIVE_INFINITY)) best[end] = { cost, from, cuts }
    }
  }
  return trace(units, best)
}

/** Columns of the units `from` to `end` on one line. */
function measure(units: readonly Unit[]): (from: number, end: number) => number {
  const sums = [0]
  for (const { width, gap } of units) sums.push(sums.at(-1)! + gap.length + width)
  return (from, end) => sums[end]! - sums[from]! - units[from]!.gap.length
}

/** Where the second line begins: `[]` for one line, undefined where two lines do not hold it. */
function lineBreak(
  from: number,
  end: number,
  text: (from: number, end: number) => number,
  costs: readonly number[],
  { lineColumns, firstLineColumns }: Limits,
): number[] | undefined {
  if (end - from === 1 || text(from, end) <= firstLineColumns) return []
  let best: { cost: number; cut: number } | undefined
  for (let cut = from + 1; cut < end && text(from, cut) <= firstLineColumns; cut++) {
    const second = text(cut, end)
    if (second > lineColumns) continue
    const cost = costs[cut]! + (UNEVEN_LINES * Math.abs(text(from, cut) - second)) / lineColumns
    if (!best || cost < best.cost) best = { cost, cut }
  }
  return best && [best.cut]
}

function trace(units: readonly Unit[], best: readonly { from: number; cuts: number[] }[]): Lines[] {
  const captions: Lines[] = []
  for (let end = units.length; end > 0; end = best[end]!.from) {
    const { from, cuts } = best[end]!
    const edges = [from, ...cuts, end]
    captions.push(edges.slice(1).map((edge, i) => units.slice(edges[i], edge)))
  }
  return captions.reverse()
}
