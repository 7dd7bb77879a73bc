import type { Word } from '../transcript/shape.ts'
import { joinWords } from './6-segment.ts'
import type { LiveSegment } from './segment.ts'

/** Words further than this from any caption become captions of their own. */
const OWN_MS = 1500

/**
 * Puts the words of the second hearing in the place of the live ones: every caption keeps its id, each word goes to
 * the caption whose time it lies in or nearest to, and what was said where there was no caption gets new ids at the
 * end. A caption that nothing is left of stays, empty, so that who shows it knows.
 *
 * `segments`: all finals of the session in order of id. `words`: in order, with `speakers[i]` of word i.
 */
export function reviseSegments(
  segments: readonly LiveSegment[],
  words: readonly Word[],
  speakers: readonly (string | undefined)[],
): LiveSegment[] {
  const places = [...segments].sort((a, b) => a.startMs - b.startMs || a.id - b.id)
  const mine = new Map<number, number[]>(segments.map(({ id }) => [id, []]))
  const stray: number[][] = []
  let from = 0
  for (const [i, word] of words.entries()) {
    from = firstPossible(places, from, word)
    const place = nearest(places, from, word)
    if (place && distance(place, word) <= OWN_MS) {
      mine.get(place.id)!.push(i)
    } else {
      const run = stray.at(-1)
      const last = run?.at(-1)
      const joins =
        last === i - 1 && word.startMs - words[last]!.endMs < OWN_MS && speakers[last] === speakers[i]
      if (run && joins) run.push(i)
      else stray.push([i])
    }
  }
  const nextId = Math.max(-1, ...segments.map(({ id }) => id)) + 1
  const rewritten = segments.map((segment) => rewrite(segment, mine.get(segment.id)!, words, speakers))
  const added = stray.map((run, n) => {
    const [startMs, endMs] = [words[run[0]!]!.startMs, words[run.at(-1)!]!.endMs]
    const blank = { id: nextId + n, startMs, endMs, text: '', words: [], final: true, revision: 0 }
    return rewrite(blank, run, words, speakers)
  })
  return [...rewritten, ...added]
}

/** Words come in order, so captions that ended long before this one are no longer looked at. */
function firstPossible(places: readonly LiveSegment[], from: number, word: Word): number {
  let first = from
  while (first + 1 < places.length && places[first + 1]!.startMs <= word.startMs - 60_000) first++
  return first
}

function nearest(places: readonly LiveSegment[], from: number, word: Word): LiveSegment | undefined {
  let best: LiveSegment | undefined
  for (let i = from; i < places.length; i++) {
    const place = places[i]!
    if (place.startMs > word.endMs + OWN_MS) break
    if (!best || distance(place, word) < distance(best, word)) best = place
  }
  return best
}

/** Of the word's middle from the caption's time; 0 inside. */
function distance({ startMs, endMs }: LiveSegment, word: Word): number {
  const middle = (word.startMs + word.endMs) / 2
  return Math.max(0, startMs - middle, middle - endMs)
}

function rewrite(
  { id, startMs, endMs, revision }: LiveSegment,
  mine: readonly number[],
  all: readonly Word[],
  speakers: readonly (string | undefined)[],
): LiveSegment {
  const words = mine.map((i) => all[i]!)
  const speaker = commonest(mine.map((i) => speakers[i]))
  return {
    id,
    startMs: words[0]?.startMs ?? startMs,
    endMs: words.at(-1)?.endMs ?? endMs,
    text: joinWords(words),
    ...(speaker !== undefined && { speaker }),
    words,
    final: true,
    // One more, and not 2 for all: a name that came late has counted before.
    revision: revision + 1,
  }
}

/** The name of more than half of the words; else nobody's. */
function commonest(names: readonly (string | undefined)[]): string | undefined {
  return names.find((name) => 2 * names.filter((other) => other === name).length > names.length)
}
