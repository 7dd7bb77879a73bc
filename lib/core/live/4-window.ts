import { type Region, VOICE_DEFAULTS, voicedMs } from '../audio/voice.ts'
import type { Word } from '../transcript/shape.ts'
import type { LiveSettings } from './settings.ts'
import type { HearingState } from './state.ts'

/** What the gate says of the sound from `voiceFromMs` on, ms on the session's clock. */
export interface Voice {
  readonly regions: readonly Region[]
  /** Sound there is. */
  readonly endMs: number
}

/** More than the longest window, and enough for the gate to know the noise around. */
const LOOK_BACK_MS = 30_000

/** From where on the gate has to judge the sound for `nextWindow` and `settle`, and the sound has to be at hand. */
export const voiceFromMs = ({ settledMs }: HearingState): number => Math.max(0, settledMs - LOOK_BACK_MS)

export interface WindowOptions {
  /** No sound is to come. */
  readonly closing: boolean
  readonly settings: Pick<LiveSettings, 'leastNewMs' | 'maxWindowMs'>
  /** Names and terms as they should be spelt. */
  readonly glossary?: string | undefined
}

/** One request to the engine. */
export interface LiveWindow extends Region {
  /** Nothing that is said goes on after its end, so every word in it can become final. */
  readonly over: boolean
  readonly brief: boolean
  readonly prompt?: string
}

export type NextWindow =
  | { readonly what: 'hear'; readonly window: LiveWindow }
  /** Nobody speaks: no engine is needed. Words that were drafts are final. */
  | { readonly what: 'silence'; readonly hearing: HearingState; readonly finals: readonly Word[] }
  /** Not enough is new. */
  | { readonly what: 'wait' }

/** So much silence ends what is said (Whisper-Streaming's and Vexa's value); the gate's padding was silence too. */
const OVER_MS = 500 - VOICE_DEFAULTS.padAfterMs

/** Sound kept before speech, in case its beginning lies under the noise: a second, or first words are lost (Vexa #613). */
export const PRE_ROLL_MS = 1_000

/** After so much silence, what was said before is no context. */
const FORGET_MS = 3_000

/** Less speech than this behind the last final word is its fading: the gate adds 300 ms to every sound. */
const LEAST_VOICE_MS = 200

/**
 * What to do next: hear a window, take silence for silence, or wait for more sound. Repeat until it says `wait`, with
 * `settle` after each `hear`. The window begins in the pause before what is said (pre-roll 1 s), even where a part of it
 * is final already: the engine makes mistakes when it begins in the middle of a sentence
 * (docs/adr/0011-live-settling.md).
 */
export function nextWindow(hearing: HearingState, voice: Voice, options: WindowOptions): NextWindow {
  const { closing, settings } = options
  const said = firstUnsettled(voice.regions, hearing.settledMs)
  if (said < 0) return silence(hearing, voice.endMs, voice.endMs - PRE_ROLL_MS)
  const window = windowFrom(said, hearing, voice, options)
  if (hearing.attempts > 0) return { what: 'hear', window: withEffort(window, hearing, options) }
  if (window.over && heardToEnd(hearing, voice))
    return silence(hearing, voice.endMs, Math.max(window.endMs, voice.endMs - PRE_ROLL_MS))
  const enough = window.endMs - hearing.heardMs >= settings.leastNewMs
  if (!enough && !closing && !window.over) return { what: 'wait' }
  return { what: 'hear', window: withEffort(window, hearing, options) }
}

/** The first region that holds more than the rest of a word that is settled; -1 when there is none. */
const firstUnsettled = (regions: readonly Region[], settledMs: number): number =>
  regions.findIndex(({ startMs, endMs }) => endMs - Math.max(startMs, settledMs) >= LEAST_VOICE_MS)

interface Stretch extends Region {
  readonly over: boolean
  /** It begins in the middle of what is said. */
  readonly inSpeech: boolean
}

function windowFrom(
  said: number,
  { fromMs }: HearingState,
  { regions, endMs }: Voice,
  { closing, settings: { maxWindowMs } }: WindowOptions,
): Stretch {
  const leadMs = Math.max(0, regions[said]!.startMs - PRE_ROLL_MS, regions[said - 1]?.endMs ?? 0)
  const startMs = Math.max(fromMs, leadMs)
  const inSpeech = startMs > regions[said]!.startMs
  const last = regions.at(-1)!
  if (endMs - startMs <= maxWindowMs) {
    // Silence at the end is worth no request, and no room in one.
    const over = closing || endMs - last.endMs >= OVER_MS
    return { startMs, endMs: Math.min(endMs, last.endMs + OVER_MS), over, inSpeech }
  }
  // More is waiting than fits: up to the last pause that does, or as far as it goes.
  const fits = regions.findLast((region) => region.endMs <= startMs + maxWindowMs && region.endMs > startMs)
  const pauseMs = fits && fits !== last && fits.endMs - startMs > maxWindowMs / 3 ? fits.endMs : undefined
  return { startMs, endMs: pauseMs ?? startMs + maxWindowMs, over: pauseMs !== undefined, inSpeech }
}

/** All that was said is in the last hypothesis, its last word included: hearing it again would tell nothing new. */
const heardToEnd = ({ heardMs }: HearingState, { regions, endMs }: Voice): boolean =>
  voicedMs(regions, heardMs, endMs) === 0

/**
 * A window that begins in a pause gets no context, like every window of the batch lane: context is where whisper's
 * loops come from (ADR 2 and 11). One that begins in the middle of speech needs it.
 */
function withEffort(
  { inSpeech, ...window }: Stretch,
  { context, careful }: HearingState,
  { glossary }: WindowOptions,
): LiveWindow {
  const prompt = [glossary, inSpeech ? context : ''].filter(Boolean).join(' ')
  return { ...window, brief: !careful, ...(prompt && { prompt }) }
}

/** Nothing is said from `untilMs` on, and what was said before is heard. */
function silence(hearing: HearingState, endMs: number, untilMs: number): NextWindow {
  const { previous, tail, context } = hearing
  const lastWordMs = Math.max(hearing.lastWordMs, previous.at(-1)?.endMs ?? 0)
  const settledMs = Math.max(hearing.settledMs, previous.at(-1)?.endMs ?? 0, untilMs)
  if (previous.length === 0 && settledMs === hearing.settledMs && endMs === hearing.heardMs)
    return { what: 'wait' }
  const { unsettledSinceMs: _, ...rest } = hearing
  return {
    what: 'silence',
    finals: previous,
    hearing: {
      ...rest,
      settledMs,
      heardMs: Math.max(hearing.heardMs, endMs),
      attempts: 0,
      careful: false,
      previous: [],
      tail: keepTail([...tail, ...previous], settledMs),
      lastWordMs,
      context: endMs - lastWordMs >= FORGET_MS ? '' : withContext(context, previous),
    },
  }
}

/** Final words of no longer than the longest window are needed to find a seam. */
const TAIL_MS = 30_000

export const keepTail = (words: readonly Word[], atMs: number): Word[] =>
  words.filter(({ endMs }) => endMs > atMs - TAIL_MS)

/** Whisper-Streaming's amount; it is 50 tokens or so of the 224 that an engine takes. */
const CONTEXT_LETTERS = 200

/** The context with these words added, cut to its last words. */
export function withContext(context: string, words: readonly Word[]): string {
  const text = [context, ...words.map((word) => word.text)].filter(Boolean).join(' ')
  if (text.length <= CONTEXT_LETTERS) return text
  const end = text.slice(-CONTEXT_LETTERS)
  return end.slice(end.indexOf(' ') + 1)
}
