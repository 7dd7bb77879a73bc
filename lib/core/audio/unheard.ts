import { type Region, voicedMs } from './voice.ts'

/** Less speech than this after the last word is a word's fading or a noise, not an unheard sentence. */
const WORTH_HEARING_MS = 1_000

/** A window that is heard again begins this much before the words that it hears again. */
const LEAD_MS = 300

/** So much must be gained, or the same sound would be heard again and again. */
const LEAST_PROGRESS_MS = 500

/**
 * The engine sometimes stops in the middle of a window, as if the rest were silent (whisper takes the end of text
 * without a time to mean just that). The gate knows better: when there is speech after the last heard segment,
 * this is the part of the window to hear again. `keep` says how many of the segments stand: the last one, broken
 * off, is heard again with the rest where that moves on. Undefined when all was heard.
 *
 * Times are ms in the recording; `heard` are the window's segments in order.
 */
export function unheardRest(
  window: Region,
  regions: readonly Region[],
  heard: readonly Region[],
): (Region & { keep: number }) | undefined {
  const heardUntilMs = heard.at(-1)?.endMs ?? window.startMs
  if (voicedMs(regions, heardUntilMs, window.endMs) < WORTH_HEARING_MS) return undefined
  const brokenFromMs = (heard.at(-1)?.startMs ?? 0) - LEAD_MS
  if (brokenFromMs - window.startMs >= LEAST_PROGRESS_MS)
    return { startMs: brokenFromMs, endMs: window.endMs, keep: heard.length - 1 }
  if (heardUntilMs - window.startMs >= LEAST_PROGRESS_MS)
    return { startMs: heardUntilMs, endMs: window.endMs, keep: heard.length }
  return undefined
}
