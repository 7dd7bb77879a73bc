import { wordErrors } from '../../test/support/wer.ts'
import { folded, LEEWAY_MS, matchWords, type Timed } from './align.ts'
import type { Seen, Sighting } from './play.ts'
import type { LiveRecording } from './recording.ts'

export interface Latency {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly mostMs: number
}

/** How good the words of one session were, and how soon they came. Delays are from a spoken word's end, ms. */
export interface WordFigures {
  /** One for each word that was shown right, be it in a draft or at once in a final. */
  readonly shownMs: readonly number[]
  /** One for each word that became final as it was said. */
  readonly finalMs: readonly number[]
  readonly said: number
  readonly errors: number
  /** Of the words that are right, those with the right name. */
  readonly named: number
}

export function wordFigures({ sentences, text }: LiveRecording, { drafts, finals, last }: Seen): WordFigures {
  const said = folded(sentences.flatMap(({ words, voice }) => words.map((word) => ({ ...word, voice }))))
  const heard = wordsOf(finals)
  const matches = matchWords(said, heard)
  const finalAt = matches.map((match) => heard[match]?.atMs)
  const shownAt = firstShown(said, drafts)
  const names = new Map(last.map(({ id, speaker }) => [id, speaker]))
  const earlier = finalAt.map((at, i) => Math.min(at ?? NEVER, shownAt[i]!))
  const delays = (at: readonly (number | undefined)[]) =>
    said.map(({ endMs }, i) => (at[i] ?? NEVER) - endMs).filter((ms) => Number.isFinite(ms))
  return {
    shownMs: delays(earlier),
    finalMs: delays(finalAt),
    said: said.length,
    errors: wordErrors(text, finals.map(({ segment }) => segment.text).join(' ')).errors,
    named: said.filter(({ voice }, i) => matches[i]! >= 0 && names.get(heard[matches[i]!]!.id) === voice)
      .length,
  }
}

const NEVER = Number.POSITIVE_INFINITY

/** When each word first stood in a draft. */
function firstShown(said: readonly Timed[], drafts: readonly Sighting[]): number[] {
  const shown = said.map(() => NEVER)
  for (const { atMs, segment } of drafts) {
    const from = said.findIndex(({ endMs }) => endMs > segment.startMs - LEEWAY_MS)
    const to = said.findLastIndex(({ startMs }) => startMs < segment.endMs + LEEWAY_MS)
    if (from < 0 || to < from) continue
    for (const [i, match] of matchWords(said.slice(from, to + 1), folded(segment.words)).entries())
      if (match >= 0) shown[from + i] = Math.min(shown[from + i]!, atMs)
  }
  return shown
}

const wordsOf = (sightings: readonly Sighting[]) =>
  sightings.flatMap(({ atMs, segment }) =>
    folded(segment.words).map((word) => ({ ...word, atMs, id: segment.id })),
  )

/** Nearest-rank percentiles. */
export function latency(delaysMs: readonly number[]): Latency | undefined {
  if (delaysMs.length === 0) return undefined
  const sorted = delaysMs.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1]!)
  return { p50Ms: at(0.5), p95Ms: at(0.95), mostMs: at(1) }
}
