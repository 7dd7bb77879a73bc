import { fold } from './fold.ts'
import { pairWords, type Range } from './pair-words.ts'
import type { Word } from './shape.ts'

/** What was heard around a cut at `atMs`, and from where to where was listened for it. All on one clock, in ms. */
export interface HeardAround {
  readonly atMs: number
  readonly fromMs: number
  readonly toMs: number
  readonly words: readonly Word[]
}

/** What to put in the place of the words around a cut: `words[from..to)` of what was heard around it. */
export interface Mend {
  /** So many of the left words stay, and so many of the right ones go. */
  readonly keep: number
  readonly drop: number
  readonly from: number
  readonly to: number
}

/** Words at the edges of a piece of sound are themselves cut. */
const EDGE_MS = 400

/** What a window has of a word that is cut is no witness, however it sounds. */
const NEAR_MS = 300

/** The engine draws out the last word before what it has not heard. */
const LONGEST_MS = 800

/** Words that are less probable than this are no better than more probable ones in their place. */
const SURE = 0.6

/** Words that are more probable than this are not believed to be nothing. */
const SAID = 0.8

/**
 * How to mend a cut, or undefined where it needs no mending or nothing is sure enough. `left` and `right` are the words
 * of the two windows, on the same clock.
 *
 * The hearings are aligned: the words that a window and the sound around the cut have in common, at about the same time
 * and not close to the cut, are anchors. What lies between the last one of the left and the first one of the right was
 * heard whole only around the cut, so that is believed: half words become whole, what was lost is there, and what both
 * sides heard is there once. Who says a word twice has said it twice around the cut, too. Where that does not help, words
 * close to the cut may be anchors as well. All constants are measured: docs/adr/0014-shards.md.
 */
export function findMend(
  left: readonly Word[],
  right: readonly Word[],
  around: HeardAround,
): Mend | undefined {
  for (const nearMs of [NEAR_MS, 0]) {
    const mend = mendBetween(left, right, around, nearMs)
    if (!mend) continue
    const told = [...left.slice(mend.keep), ...right.slice(0, mend.drop)]
    const heard = around.words.slice(mend.from, mend.to)
    if (same(told, heard)) return undefined
    const isOver = isSubsequence(heard, told)
    if (isOver ? isNeedless(told, left[mend.keep - 1], right[mend.drop]) : isSurer(heard, told)) return mend
  }
  return undefined
}

const same = (one: readonly Word[], other: readonly Word[]): boolean =>
  one.length === other.length && one.every(({ text }, i) => fold(text) === fold(other[i]!.text))

const least = (words: readonly Word[]): number => Math.min(1, ...words.map(({ probability }) => probability))

/** Words that come in should be probable, or more so than those in their place. */
const isSurer = (heard: readonly Word[], told: readonly Word[]): boolean =>
  least(heard) >= Math.min(SURE, least(told))

/**
 * Words that only go should have been said twice, or not be probable: what was heard around the cut may lack a word, too.
 */
const isNeedless = (told: readonly Word[], before: Word | undefined, after: Word | undefined): boolean =>
  least(told) < SAID || isDoubled([before, ...told, after].filter((word) => word !== undefined))

function isSubsequence(some: readonly Word[], all: readonly Word[]): boolean {
  let found = 0
  for (const { text } of all) if (found < some.length && fold(some[found]!.text) === fold(text)) found++
  return found === some.length
}

/** So many words at most are said before the first of them is said again. */
const LONGEST_DOUBLE = 4

const isDoubled = (words: readonly Word[]): boolean =>
  words.some(({ text }, i) =>
    words.slice(i + 1, i + 1 + LONGEST_DOUBLE).some((other) => fold(other.text) === fold(text)),
  )

/** The words between the anchors, whatever they are; undefined without anchors. */
function mendBetween(
  left: readonly Word[],
  right: readonly Word[],
  around: HeardAround,
  nearMs: number,
): Mend | undefined {
  const { words } = around
  const l = leftWitnesses(left, around, nearMs)
  const r = rightWitnesses(right, around, nearMs)
  const whole = wholeWords(around)
  const pairs = pairWords([...left.slice(l.from, l.to), ...right.slice(r.from, r.to)], words, whole)
  const last = l.to - l.from
  const before = pairs.findLast(([place]) => place < last)
  const after = pairs.find(([place]) => place >= last)
  // Nothing that was heard around the cut contradicts a side that has no word there.
  const silent = {
    left: l.to === l.from || endMs(left[l.to - 1]!) <= (words[whole.from]?.startMs ?? 0),
    right: r.to === r.from || right[r.from]!.startMs >= (words[whole.to - 1]?.endMs ?? around.toMs),
  }
  if ((!before && !silent.left) || (!after && !silent.right)) return undefined
  const mend = {
    keep: before ? l.from + before[0] + 1 : l.to,
    drop: after ? r.from + after[0] - last : r.from,
    from: before ? before[1] + 1 : whole.from,
    to: after ? after[1] : whole.to,
  }
  // What one anchor holds may be something instead of something, but not nothing.
  const fewest = before && after ? 0 : 1
  return mend.to - mend.from < fewest ? undefined : mend
}

const endMs = (word: Word): number => Math.min(word.endMs, word.startMs + LONGEST_MS)

/** The last words of the left window that lie in the sound around the cut, but not close to it. */
function leftWitnesses(left: readonly Word[], { atMs, fromMs }: HeardAround, nearMs: number): Range {
  const to = left.findLastIndex((word) => word.endMs <= atMs - nearMs) + 1
  return { from: left.slice(0, to).findLastIndex((word) => endMs(word) <= fromMs) + 1, to }
}

/** The first ones of the right window, likewise. */
function rightWitnesses(right: readonly Word[], { atMs, toMs }: HeardAround, nearMs: number): Range {
  const from = firstOf(right, ({ startMs }) => startMs >= atMs + nearMs)
  const to = firstOf(right, ({ startMs }) => startMs >= toMs)
  return { from, to: Math.max(from, to) }
}

/** The words around a cut that are not at the edges of that sound. */
function wholeWords({ words, fromMs, toMs }: HeardAround): Range {
  const from = firstOf(words, ({ startMs }) => startMs >= fromMs + EDGE_MS)
  const to = firstOf(words, ({ endMs }) => endMs > toMs - EDGE_MS)
  return { from, to: Math.max(from, to) }
}

function firstOf(words: readonly Word[], is: (word: Word) => boolean): number {
  const found = words.findIndex(is)
  return found < 0 ? words.length : found
}
