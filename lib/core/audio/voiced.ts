import type { Region } from './voice.ts'

/** Where to listen for the language: less than the 30 s that whisper looks at, and how far into the recording. */
const SPAN_MS = 28_000
const WITHIN_MS = 10 * 60_000

/** Some of a recording, in ms of it; `voicedMs` says how much of that is speech. */
export interface Sample extends Region {
  readonly voicedMs: number
}

/**
 * The 28 s with most speech in the first ten minutes after somebody first speaks (the very beginning is often a
 * jingle or one "hello"), the earliest of equals. Undefined when nobody speaks. The stretch begins with a region, so
 * no word is cut at its start.
 */
export function pickVoiced(regions: readonly Region[]): Sample | undefined {
  const untilMs = (regions[0]?.startMs ?? 0) + WITHIN_MS
  return fullest(piecesOf(regions.filter(({ startMs }) => startMs < untilMs)), untilMs)
}

/** With less speech for each, samples are fewer: two good ones say more than five of a few words. */
const LEAST_MS = SPAN_MS / 2

/**
 * Up to `most` stretches from all over the recording, apart from each other: its speech is divided into equal parts,
 * and of each part this is the fullest stretch of up to 28 s that begins with a region. First the one with most
 * speech, then always the one that is farthest from those before, so that whoever stops early has heard far apart
 * places. None when nobody speaks, one when all speech lies within 28 s.
 */
export function pickSamples(regions: readonly Region[], most: number): Sample[] {
  const all = regions.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
  const within = (regions.at(-1)?.endMs ?? 0) - (regions[0]?.startMs ?? 0) <= SPAN_MS
  const count = within ? 1 : Math.min(most, Math.max(1, Math.floor(all / LEAST_MS)))
  const parts = Array.from({ length: count }, (): Region[] => [])
  let before = 0
  for (const piece of piecesOf(regions)) {
    parts[Math.floor((before / all) * count)]!.push(piece)
    before += piece.endMs - piece.startMs
  }
  return farApart(parts.flatMap((part) => fullest(part) ?? []))
}

/** A region longer than the span (noise, music, a lecture) is looked at in steps. */
const piecesOf = (regions: readonly Region[]): Region[] =>
  regions.flatMap(({ startMs, endMs }) =>
    Array.from({ length: Math.ceil((endMs - startMs) / SPAN_MS) }, (_, step) => {
      const fromMs = startMs + step * SPAN_MS
      return { startMs: fromMs, endMs: Math.min(endMs, fromMs + SPAN_MS) }
    }),
  )

/** The stretch with most speech that begins with a piece before `untilMs`, the earliest of equals. */
function fullest(pieces: readonly Region[], untilMs = Number.POSITIVE_INFINITY): Sample | undefined {
  let best: Sample | undefined
  for (const [i, { startMs }] of pieces.entries()) {
    if (startMs >= untilMs) break
    const stretch = stretchFrom(pieces, i)
    if (stretch.voicedMs > (best?.voicedMs ?? 0)) best = stretch
  }
  return best
}

function stretchFrom(pieces: readonly Region[], first: number): Sample {
  const { startMs } = pieces[first]!
  let endMs = startMs
  let voicedMs = 0
  for (let i = first; i < pieces.length && pieces[i]!.startMs < startMs + SPAN_MS; i++) {
    endMs = Math.min(pieces[i]!.endMs, startMs + SPAN_MS)
    voicedMs += endMs - pieces[i]!.startMs
  }
  return { startMs, endMs, voicedMs }
}

function farApart(samples: readonly Sample[]): Sample[] {
  const left = [...samples]
  const picked: Sample[] = []
  const distance = ({ startMs }: Sample) =>
    Math.min(...picked.map((other) => Math.abs(other.startMs - startMs)))
  while (left.length > 0) {
    const worth = left.map((sample) => (picked.length === 0 ? sample.voicedMs : distance(sample)))
    picked.push(...left.splice(worth.indexOf(Math.max(...worth)), 1))
  }
  return picked
}
