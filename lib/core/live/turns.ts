import type { SpeakerEvent } from '../session.ts'
import type { Word } from '../transcript/shape.ts'
import { type Gap, gapsIn, gapsOf, lengthOf } from './gaps.ts'

// Names come from the meeting platform about once a second and late. A change of speakers happened some time between
// the last update that named the one and the first that named the other, both less their delay; where in there, the
// pauses between the words tell best. Unknown is better than wrong.

/** How late names may be (meeting platforms: 250 ms to 1 s), and how late they are taken to be at first. */
const LAG_MS = { least: 200, most: 1200, usual: 600, step: 50 }
/** How much one name may be later or earlier than the others: little, once the pauses have told how late they are. */
const JITTER_MS = { known: 150, unknown: 400 }
/** So many changes, and as much more pause than at any other delay, tell how late names are. */
const TELLING = { changes: 3, leadMs: 100 }
/** An update every second: the speaker may have changed since the one before. Lost updates make no longer doubt. */
const MOST_DOUBT_MS = 2500
/** A name that is there for less, between two times the same other one, is a cough or a keyboard … */
const FLICKER_MS = 1000
/** … unless pauses of this length set it apart. */
export const APART_MS = 250
/** Two names in turns, faster than this: both speak. */
const BOTH_MS = 1500

/** From `fromMs` (session clock) until the next turn. No name: nobody, nobody known, or several at once. */
export interface Turn {
  readonly fromMs: number
  readonly name: string | undefined
}

/** The turns of a session, and how late its names are. */
export function timeline(events: readonly SpeakerEvent[], words: readonly Word[], zeroAt: number) {
  const changes = markBoth(changesOf(events, zeroAt))
  const gaps = gapsOf(words)
  const lag = lagOf(changes, gaps)
  const turns: Turn[] = []
  for (const [i, change] of changes.entries()) {
    if (isFlicker(changes, i, gaps, lag)) continue
    const least = turns.at(-1)?.fromMs ?? Number.NEGATIVE_INFINITY
    const fromMs = Math.max(least, change.given ? change.atMs : placeChange(change, gaps, lag))
    if (turns.length === 0 || turns.at(-1)!.name !== change.name) turns.push({ fromMs, name: change.name })
  }
  return { turns, lag }
}

interface Lag {
  readonly ms: number
  readonly jitterMs: number
}

/**
 * How late the names of this session are: people pause when the speaker changes, so at the right delay the times of
 * doubt hold more pause than at any other.
 */
function lagOf(changes: readonly Change[], gaps: readonly Gap[]): Lag {
  const usual = { ms: LAG_MS.usual, jitterMs: JITTER_MS.unknown }
  const telling = changes.filter(({ given, afterMs }) => !given && afterMs > Number.NEGATIVE_INFINITY)
  if (telling.length < TELLING.changes) return usual
  const lags: Array<{ ms: number; pauseMs: number }> = []
  for (let ms = LAG_MS.least; ms <= LAG_MS.most; ms += LAG_MS.step) {
    const pauses = telling.map((change) => longestPause(change, gaps, { ms, jitterMs: 0 }))
    lags.push({ ms, pauseMs: pauses.reduce((sum, pause) => sum + pause, 0) / telling.length })
  }
  const most = Math.max(...lags.map(({ pauseMs }) => pauseMs))
  // The best is a range: its middle is furthest from being wrong.
  const best = lags.filter(({ pauseMs }) => pauseMs >= most - 20)
  const ms = best[best.length >> 1]!.ms
  const lead = most - Math.min(...lags.map(({ pauseMs }) => pauseMs))
  return lead >= TELLING.leadMs ? { ms, jitterMs: JITTER_MS.known } : usual
}

interface Change {
  /** Session clock, as reported. */
  readonly atMs: number
  /** The last update that still named the speaker before. */
  readonly afterMs: number
  readonly name: string | undefined
  readonly given: boolean
}

/** Updates that say the same as the one before only tell that nothing has changed until then. */
function changesOf(events: readonly SpeakerEvent[], zeroAt: number): Change[] {
  const changes: Change[] = []
  let lastMs = Number.NEGATIVE_INFINITY
  for (const { name, at, given } of [...events].sort((a, b) => a.at - b.at)) {
    const atMs = at - zeroAt
    const known = name.trim() === '' ? undefined : name.trim()
    if (changes.length === 0 || changes.at(-1)!.name !== known) {
      changes.push({ atMs, afterMs: lastMs, name: known, given })
    }
    lastMs = atMs
  }
  return changes
}

/** Names that take turns faster than people do are of people who speak at once: nobody is named meanwhile. */
function markBoth(changes: readonly Change[]): Change[] {
  const both = changes.map(() => false)
  for (let i = 0; i + 3 < changes.length; i++) {
    const [a, b, c, d] = changes.slice(i, i + 4) as [Change, Change, Change, Change]
    if (a.name !== c.name || b.name !== d.name || d.atMs - a.atMs > BOTH_MS) continue
    both.fill(true, i, i + 3)
  }
  return changes.map((change, i) => (both[i] ? { ...change, name: undefined } : change))
}

function isFlicker(changes: readonly Change[], i: number, gaps: readonly Gap[], lag: Lag): boolean {
  const [before, change, next] = [changes[i - 1], changes[i]!, changes[i + 1]]
  if (!before || !next || change.given || before.name !== next.name) return false
  if (next.atMs - change.atMs >= FLICKER_MS) return false
  return [change, next].some((it) => longestPause(it, gaps, lag) < APART_MS)
}

/** The time in which a change must have happened. */
function doubt({ atMs, afterMs }: Change, { ms, jitterMs }: Lag) {
  const from = Math.max(afterMs, atMs - MOST_DOUBT_MS) - ms - jitterMs
  return { from, to: Math.max(from, atMs - ms + jitterMs) }
}

function longestPause(change: Change, gaps: readonly Gap[], lag: Lag): number {
  const { from, to } = doubt(change, lag)
  return Math.max(0, ...gapsIn(gaps, from, to).map(lengthOf))
}

/** At the longest pause in the time of doubt; without one, in the middle, and the first name at its beginning. */
function placeChange(change: Change, gaps: readonly Gap[], lag: Lag): number {
  const { from, to } = doubt(change, lag)
  if (change.afterMs === Number.NEGATIVE_INFINITY) return from
  const middle = (from + to) / 2
  const inDoubt = gapsIn(gaps, from, to)
  const longest = Math.max(0, ...inDoubt.map(lengthOf))
  const places = inDoubt
    .filter((gap) => lengthOf(gap) > longest - 50)
    .map(({ startMs, endMs }) => (startMs + endMs) / 2)
  places.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))
  return Math.round(places[0] ?? middle)
}
