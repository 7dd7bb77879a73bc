import { type Region, voicedMs } from './voice.ts'

/** Where to listen for the language: less than the 30 s that whisper looks at, and how far into the recording. */
const SPAN_MS = 28_000
const WITHIN_MS = 10 * 60_000

/**
 * The 28 s with most speech in the first ten minutes after somebody first speaks (the very beginning is often a
 * jingle or one "hello"), the earliest of equals; `voicedMs` says how much of it is speech. Undefined when nobody
 * speaks. The stretch begins with a region, so no word is cut at its start.
 */
export function pickVoiced(regions: readonly Region[]): (Region & { voicedMs: number }) | undefined {
  const untilMs = (regions[0]?.startMs ?? 0) + WITHIN_MS
  const near = regions.filter(({ startMs }) => startMs < untilMs)
  let best: (Region & { voicedMs: number }) | undefined
  for (const [i, { startMs, endMs }] of near.entries()) {
    // A region longer than the span (noise, music, a lecture) is looked at in steps.
    for (let fromMs = startMs; fromMs < Math.min(endMs, untilMs); fromMs += SPAN_MS) {
      const voiced = voicedMs(near.slice(i), fromMs, fromMs + SPAN_MS)
      if (voiced > (best?.voicedMs ?? 0)) {
        const last = near.findLast((region) => region.startMs < fromMs + SPAN_MS)
        best = { startMs: fromMs, endMs: Math.min(fromMs + SPAN_MS, last!.endMs), voicedMs: voiced }
      }
    }
  }
  return best
}
