import type { Unit } from './breaks.ts'
import { oneLine } from './clean.ts'
import { type Lines, layOut } from './layout.ts'
import type { Segment } from './shape.ts'
import { findWords } from './split.ts'
import { speakerChanges } from './turns.ts'
import { chop, columns } from './width.ts'
import { wordsFromText } from './words.ts'

/** What stands on the screen at one time. Lines and speaker are clean (see `oneLine`), not yet escaped for any format. */
export interface Caption {
  readonly startMs: number
  readonly endMs: number
  readonly lines: readonly string[]
  readonly speaker?: string
}

// Two lines of 42 characters, at most 7 s, at least 5/6 s: Netflix, Timed Text Style Guide, general requirements.
const LINE_COLUMNS = 42
const LONGEST_MS = 7000
const SHORTEST_MS = 833
/** A speaker's name takes at most half of a line away from the text. */
const LONGEST_LABEL = 21

/**
 * Cuts segments into captions: at most two lines of 42 columns and 7 s each, broken at sentences, clauses and
 * connectives, inside a word only where the word is longer than a line. Times come from the words; a caption
 * stays about 0.8 s where the same speaker's next one allows, and never overlaps that. A caption holds words of
 * one segment, so of one speaker. Result in order of start.
 * `label` is what a writer may put in front of a caption where its speaker begins: the first line leaves room for it.
 */
export function captionsOf(
  segments: readonly Segment[],
  label: (speaker: string) => string = () => '',
): Caption[] {
  const inOrder = segments.toSorted((a, b) => a.startMs - b.startMs)
  const changes = speakerChanges(inOrder)
  const captions = inOrder.flatMap((segment, i) => {
    const speaker = oneLine(segment.speaker ?? '') || undefined
    const labelColumns = speaker === undefined || !changes[i] ? 0 : columns(label(speaker))
    return cutSegment(segment, speaker, LINE_COLUMNS - Math.min(labelColumns, LONGEST_LABEL))
  })
  const byStart = (a: Caption, b: Caption) => a.startMs - b.startMs
  return settleTimes(captions.sort(byStart)).sort(byStart)
}

function cutSegment(segment: Segment, speaker: string | undefined, firstLineColumns: number): Caption[] {
  const { units, joined } = unitsOf(segment, firstLineColumns)
  const limits = { lineColumns: LINE_COLUMNS, firstLineColumns, longestMs: LONGEST_MS }
  return layOut(units, joined, limits).map((lines) => {
    const startMs = lines[0]![0]!.startMs
    const endMs = Math.min(lines.at(-1)!.at(-1)!.endMs, startMs + LONGEST_MS)
    return { startMs, endMs, lines: textOf(lines), ...(speaker !== undefined && { speaker }) }
  })
}

const textOf = (lines: Lines): string[] =>
  lines.map((units) => units.map(({ gap, text }, i) => (i === 0 ? text : gap + text)).join(''))

/** The segment's words, cleaned, with the space before each; a word longer than a line becomes several units. */
function unitsOf(segment: Segment, longest: number): { units: Unit[]; joined: boolean[] } {
  const known = findWords(segment.text, segment.words)
  const words = known ? segment.words : wordsFromText(segment)
  const spans = known ?? findWords(segment.text, words)!
  const units: Unit[] = []
  const joined: boolean[] = []
  for (const [i, word] of words.entries()) {
    const pieces = chop(oneLine(word.text), longest)
    const gap = i > 0 && spans[i]!.start > spans[i - 1]!.end ? ' ' : ''
    const pieceMs = (word.endMs - word.startMs) / pieces.length
    for (const [k, text] of pieces.entries()) {
      units.push({
        text,
        gap: k === 0 ? gap : '',
        startMs: Math.round(word.startMs + k * pieceMs),
        endMs: Math.round(word.startMs + (k + 1) * pieceMs),
        width: columns(text),
      })
      joined.push(k > 0)
    }
  }
  return { units, joined }
}

/** Takes captions in order of start. Lengthens the short ones and ends each before its speaker goes on. */
function settleTimes(captions: readonly Caption[]): Caption[] {
  const settled: Caption[] = []
  const nextStart = new Map<string | undefined, number>()
  for (const caption of captions.toReversed()) {
    const { startMs, speaker } = caption
    const next = nextStart.get(speaker) ?? Number.POSITIVE_INFINITY
    const endMs = Math.min(Math.max(caption.endMs, startMs + SHORTEST_MS), next)
    settled.push({ ...caption, endMs })
    nextStart.set(speaker, startMs)
  }
  return pushApart(settled.reverse())
}

/** Two captions of one speaker at one instant: the second waits for a millisecond, so that none is empty. */
function pushApart(captions: readonly Caption[]): Caption[] {
  const lastEnd = new Map<string | undefined, number>()
  return captions.map((caption) => {
    const startMs = Math.max(caption.startMs, lastEnd.get(caption.speaker) ?? 0)
    const endMs = Math.max(caption.endMs, startMs + 1)
    lastEnd.set(caption.speaker, endMs)
    return { ...caption, startMs, endMs }
  })
}
