import type { SpeakerEvent } from '../session.ts'
import type { Word } from '../transcript/shape.ts'
import { APART_MS, type Turn, timeline } from './turns.ts'

/** What is said after a pause may be another's, as long as a name may still be on its way: lag, and the time between two. */
const PATIENCE_MS = 2500
/** A word of which less is covered by one name stays without. */
const LEAST_COVERAGE = 0.35

/** Who spoke when, on the session's clock (`zeroAt`: its 0 in epoch ms), as far as updates and words tell. */
export const speakerTurns = (
  events: readonly SpeakerEvent[],
  words: readonly Word[],
  zeroAt: number,
): Turn[] => timeline(events, words, zeroAt).turns

/** The name of a word, and whether a name that is still on its way may say otherwise. */
export interface Naming {
  readonly speaker: string | undefined
  readonly unsure: boolean
}

/**
 * The speakers of the last words of a session that goes on: what was said after a pause and is not covered by an update
 * yet stays without a name, for a while, instead of getting that of the speaker before. `nowMs`: sound there is.
 */
export function nameSpoken(
  events: readonly SpeakerEvent[],
  words: readonly Word[],
  zeroAt: number,
  nowMs: number,
): Naming[] {
  const { turns, lag } = timeline(events, words, zeroAt)
  const last = events.reduce((latest, { at }) => Math.max(latest, at), Number.NEGATIVE_INFINITY)
  const knownMs = Math.max(last - zeroAt - lag.ms, nowMs - PATIENCE_MS)
  const names = nameWords(words, turns)
  const open = words.findIndex(({ startMs }, i) => {
    const apart = i === 0 || startMs - words[i - 1]!.endMs >= APART_MS
    return startMs > knownMs && apart
  })
  const unsure = (i: number) => turns.length > 0 && open >= 0 && i >= open
  return words.map((_, i) => ({ speaker: unsure(i) ? undefined : names[i], unsure: unsure(i) }))
}

/** The speaker of each word: who has most of it, if that is enough. One word between two of another is theirs. */
export function nameWords(words: readonly Word[], turns: readonly Turn[]): (string | undefined)[] {
  const names = words.map((word) => nameOf(word, turns))
  return names.map((name, i) => {
    const [before, after] = [names[i - 1], names[i + 1]]
    const island = i > 0 && i + 1 < names.length && before === after && name !== before
    return island && before !== undefined && !standsApart(words, i) ? before : name
  })
}

/** Somebody may well say one word, between two pauses. */
function standsApart(words: readonly Word[], i: number): boolean {
  const [before, word, after] = [words[i - 1]!, words[i]!, words[i + 1]!]
  return word.startMs - before.endMs >= APART_MS && after.startMs - word.endMs >= APART_MS
}

function nameOf({ startMs, endMs }: Word, turns: readonly Turn[]): string | undefined {
  const covered = new Map<string, number>()
  for (const [i, { fromMs, name }] of turns.entries()) {
    const untilMs = turns[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY
    const overlap = Math.min(endMs, untilMs) - Math.max(startMs, fromMs)
    if (name !== undefined && overlap > 0) covered.set(name, (covered.get(name) ?? 0) + overlap)
  }
  const best = [...covered].sort(([, a], [, b]) => b - a)[0]
  return best && best[1] / (endMs - startMs) >= LEAST_COVERAGE ? best[0] : undefined
}
