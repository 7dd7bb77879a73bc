import type { WindowHeard } from './assemble.ts'
import { findMend, type Mend } from './mend.ts'
import type { HeardSegment, Word } from './shape.ts'
import { shift } from './shift.ts'
import { findWords } from './split.ts'
import { fitTimes } from './times.ts'

/** What was heard in the sound around a place where two windows meet. */
export interface SeamHeard extends WindowHeard {
  /** Where they meet, ms in the recording. */
  readonly atMs: number
}

/**
 * Mends what the windows of one channel, in order, got wrong where they meet: words cut in two, lost, or heard by both
 * sides. A seam whose windows are not both there, and one that needs nothing, changes nothing. Where words have changed,
 * the two windows meet between words, the segments' texts are their words, and times are in order. Guard both windows
 * and seams first: what the engine has made up is no evidence.
 */
export function mendSeams<W extends WindowHeard>(
  windows: readonly W[],
  seams: readonly SeamHeard[],
): { windows: W[]; repaired: number } {
  const mended = [...windows]
  let repaired = 0
  for (const seam of seams) {
    const place = mended.findIndex(
      ({ endMs }, i) => endMs === seam.atMs && mended[i + 1]?.startMs === seam.atMs,
    )
    const pair = place < 0 ? undefined : mendSeam(mended[place]!, mended[place + 1]!, seam)
    if (!pair) continue
    mended.splice(place, 2, ...pair)
    repaired++
  }
  return { windows: mended, repaired }
}

function mendSeam<W extends WindowHeard>(left: W, right: W, seam: SeamHeard): [W, W] | undefined {
  const [before, after, around] = [piecesOf(left), piecesOf(right), piecesOf(seam)]
  if (!before || !after || !around) return undefined
  const wordsOf = (pieces: readonly Piece[]): Word[] => pieces.map(({ word }) => word)
  const mend = findMend(wordsOf(before), wordsOf(after), {
    atMs: seam.atMs,
    fromMs: Math.max(seam.startMs, left.startMs),
    toMs: Math.min(seam.endMs, right.endMs),
    words: wordsOf(around),
  })
  if (!mend) return undefined
  const split = splitOf(around, mend, seam.atMs)
  const sides = {
    left: [...before.slice(0, mend.keep), ...around.slice(mend.from, split)],
    right: [...around.slice(split, mend.to), ...continued(after.slice(mend.drop), around[mend.to])],
  }
  const atMs = meeting(seam.atMs, sides.left.at(-1)?.word.endMs, sides.right[0]?.word.startMs)
  return [
    {
      ...left,
      endMs: atMs,
      segments: segmentsOf(sides.left, left.startMs, { from: left.startMs, to: atMs }),
    },
    { ...right, startMs: atMs, segments: segmentsOf(sides.right, atMs, { from: atMs, to: right.endMs }) },
  ]
}

/** A word on the recording's clock, with what parts it from the word before in its segment. */
interface Piece {
  readonly word: Word
  readonly gap: string
  /** The segment that it is of, likewise on the recording's clock; its first word begins it. */
  readonly segment: HeardSegment
  readonly begins: boolean
}

/** Undefined where a segment's text is not its words. */
function piecesOf({ segments, startMs }: WindowHeard): Piece[] | undefined {
  const pieces: Piece[] = []
  for (const heard of segments) {
    const segment = shift(heard, startMs)
    const spans = findWords(segment.text, segment.words)
    if (!spans) return undefined
    for (const [i, word] of segment.words.entries()) {
      const gap = i > 0 ? segment.text.slice(spans[i - 1]!.end, spans[i]!.start) : ' '
      pieces.push({ word, gap, segment, begins: i === 0 })
    }
  }
  return pieces
}

/** Which of the words that come in go to the right window: where a sentence begins near the cut, else by time. */
function splitOf(around: readonly Piece[], { from, to }: Mend, atMs: number): number {
  const startMs = (place: number): number => around[place]?.word.startMs ?? atMs
  const begins = around
    .map((_, place) => place)
    .filter((place) => place >= from && place <= to && around[place]!.begins)
    .toSorted((a, b) => Math.abs(startMs(a) - atMs) - Math.abs(startMs(b) - atMs))
  if (begins[0] !== undefined) return begins[0]
  const later = around.slice(from, to).findIndex(({ word }) => word.startMs + word.endMs > 2 * atMs)
  return later < 0 ? to : from + later
}

/** Whether the first word that stays goes on with the sentence before it is known from around the cut. */
function continued(kept: readonly Piece[], heard: Piece | undefined): Piece[] {
  const [first, ...rest] = kept
  if (!first) return []
  return [{ ...first, gap: heard?.gap ?? first.gap, begins: heard?.begins ?? first.begins }, ...rest]
}

/** Where the windows meet now: as near to where they did as lies between words. */
function meeting(atMs: number, endMs = atMs, startMs = atMs): number {
  return Math.min(Math.max(atMs, Math.min(endMs, startMs)), Math.max(endMs, startMs))
}

/** The pieces as segments inside a window, times from `originMs`. */
function segmentsOf(
  pieces: readonly Piece[],
  originMs: number,
  { from, to }: { readonly from: number; readonly to: number },
): HeardSegment[] {
  const groups: Piece[][] = []
  for (const [i, piece] of pieces.entries()) {
    if (i === 0 || piece.begins) groups.push([piece])
    else groups.at(-1)!.push(piece)
  }
  let doneMs = from
  return groups.map((group) => {
    const segment = joined(group, doneMs, to)
    doneMs = segment.endMs
    return shift(segment, -originMs)
  })
}

function joined(group: readonly Piece[], from: number, to: number): HeardSegment {
  const [first, last] = [group[0]!, group.at(-1)!]
  const words = group.map(({ word }) => word)
  if (first.segment === last.segment && words.length === first.segment.words.length) return first.segment
  const startMs = Math.min(Math.max(first.word.startMs, from), to)
  const endMs = Math.max(startMs + words.length, Math.min(last.word.endMs, to))
  return {
    ...(last.begins ? first : last).segment,
    ...{ startMs, endMs },
    text: group.map(({ word, gap }, i) => (i > 0 ? gap : '') + word.text).join(''),
    words: fitTimes(words, { startMs, endMs }),
  }
}
