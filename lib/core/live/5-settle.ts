import { type Region, voicedMs } from '../audio/voice.ts'
import { fold } from '../transcript/fold.ts'
import type { HeardSegment, Word } from '../transcript/shape.ts'
import { keepTail, type LiveWindow, type Voice, withContext } from './4-window.ts'
import { type Heard, middleMs, takeHeard } from './heard.ts'
import type { HearingState } from './state.ts'

/** A word that ends so much before the window's end is not cut off by it, and has been heard with what follows. */
const HOLD_MS = 800
/** It is final at its first hearing if the engine believes it so much. */
const BELIEVED = 0.5

/** So long no word may have become final while some are heard (docs/adr/0011-live-settling.md). */
const UNSETTLED_MS = 4_000

/** The same sound is heard so often at most. */
const MOST_ATTEMPTS = 3

/** More speech than this behind the last word: the engine ended its text early (audio/unheard.ts, ADR 2). */
const BROKE_OFF_MS = 1_000
/** … where the window ends in the middle of speech, which may end in a word too short to be heard. */
const BROKE_OFF_OPEN_MS = 1_400
/** As the window for an unheard rest begins in audio/unheard.ts, and how much must be gained. */
const LEAD_MS = 300
const LEAST_PROGRESS_MS = 500

/** Sound in which nothing was heard for so long is given up, but for its end: music fills no window. */
const NOTHING_MS = 6_000
const NOTHING_KEPT_MS = 1_000

/** A window of this length is cut: the next begins after the last segment that is final (Whisper-Streaming's value). */
const TRIM_MS = 15_000
/** … or, where that is further away than the first, the second of these before the end of the final words. */
const TRIM_FURTHEST_MS = 10_000
const TRIM_KEPT_MS = 5_000

export interface Settled {
  readonly hearing: HearingState
  /** New final words, in order. They never change. */
  readonly finals: readonly Word[]
  /** Heard after them; may still change. All drafts there are. */
  readonly drafts: readonly Word[]
}

/**
 * Decides which of the words heard in a window are final: in order, while one of these holds.
 *
 * - What is said is over: 500 ms of silence, or the end of the session.
 * - A pause lies between the word and the window's end.
 * - It ends 0.8 s or more before the window's end, and the engine believes it, or no word has become final for 4 s.
 * - The hearing before said the same (LocalAgreement-2: D. Macháček et al., "Turning Whisper into Real-Time
 *   Transcription System", IJCNLP-AACL 2023).
 *
 * The third is not in the paper. It is what keeps the delay at a chunk and 0.8 s, where agreement alone needs two
 * chunks; see docs/adr/0011-live-settling.md for what it costs. When the engine loops, or ends its text although
 * somebody speaks on, nothing of that is settled, and `nextWindow` will ask for the same sound again.
 *
 * `heard` has times from the window's start, `voice` is what `nextWindow` was given. Nothing is random: whoever repeats
 * a step with the same hearing comes to the same end.
 */
export function settle(
  hearing: HearingState,
  window: LiveWindow,
  heard: readonly HeardSegment[],
  { regions }: Voice,
): Settled {
  const taken = takeHeard(window, heard, regions, hearing.tail)
  const mayRepeat = hearing.attempts + 1 < MOST_ATTEMPTS
  if (taken.guarded && window.brief && mayRepeat) return hearCarefully(hearing)
  const restMs = mayRepeat ? unheardFrom(hearing, window, taken, regions) : undefined
  const believed = restMs === undefined ? taken.words : taken.words.filter(({ startMs }) => startMs < restMs)
  const finals = believed.slice(0, countFinal(hearing, window, believed, regions))
  const drafts = believed.slice(finals.length)
  const remembered = remember(hearing, window, taken, finals, drafts)
  const hearingNext =
    restMs === undefined
      ? moveOn(remembered, window, taken, drafts, regions)
      : { ...remembered, attempts: hearing.attempts + 1, fromMs: Math.max(hearing.fromMs, restMs - LEAD_MS) }
  return { hearing: hearingNext, finals, drafts }
}

/** A guard fired: the same sound again, with full effort and nothing to be led astray by. Drafts stay as they were. */
const hearCarefully = (hearing: HearingState): Settled => ({
  hearing: { ...hearing, attempts: hearing.attempts + 1, careful: true, context: '' },
  finals: [],
  drafts: hearing.previous,
})

/** Where to hear on when the engine ended its text although somebody speaks on; undefined when it did not. */
function unheardFrom(
  { settledMs }: HearingState,
  window: LiveWindow,
  { segments }: Heard,
  regions: readonly Region[],
): number | undefined {
  const last = segments.at(-1)
  if (!last) return undefined
  // Not of the new words alone: where it always breaks off at the same place, there are none.
  const heardMs = Math.max(settledMs, last.endMs)
  const unheardMs = voicedMs(regions, heardMs, window.endMs)
  if (unheardMs < (window.over ? BROKE_OFF_MS : BROKE_OFF_OPEN_MS)) return undefined
  // The last segment is most likely broken off as well, and is heard again where that moves on.
  const fits = (startMs: number) => startMs - LEAD_MS - window.startMs >= LEAST_PROGRESS_MS
  return [last.startMs, heardMs].find(fits)
}

function countFinal(
  { previous, unsettledSinceMs }: HearingState,
  window: LiveWindow,
  words: readonly Word[],
  regions: readonly Region[],
): number {
  const pauseMs = window.over ? Number.POSITIVE_INFINITY : lastPauseMs(regions, window)
  const overdue = unsettledSinceMs !== undefined && window.endMs - unsettledSinceMs >= UNSETTLED_MS
  const isFinal = (word: Word, i: number): boolean => {
    if (middleMs(word) < pauseMs) return true
    const whole = word.endMs <= window.endMs - HOLD_MS
    if (whole && (overdue || word.probability >= BELIEVED)) return true
    const before = previous[i]
    return before !== undefined && fold(before.text) === fold(word.text)
  }
  const open = words.findIndex((word, i) => !isFinal(word, i))
  return open < 0 ? words.length : open
}

/** The end of the last region that ends inside the window: the beginning of its last pause. */
const lastPauseMs = (regions: readonly Region[], window: Region): number =>
  regions.findLast((region) => region.endMs < window.endMs)?.endMs ?? 0

/** The state with what was heard in it, not yet moved on in time further than the final words reach. */
function remember(
  { unsettledSinceMs, ...hearing }: HearingState,
  window: LiveWindow,
  { words, guarded }: Heard,
  finals: readonly Word[],
  drafts: readonly Word[],
): HearingState {
  const settledMs = Math.max(hearing.settledMs, finals.at(-1)?.endMs ?? 0)
  const since = (finals.length === 0 ? unsettledSinceMs : undefined) ?? drafts[0]?.startMs
  return {
    ...hearing,
    settledMs,
    heardMs: Math.max(hearing.heardMs, window.endMs),
    careful: false,
    previous: [...drafts],
    tail: keepTail([...hearing.tail, ...finals], settledMs),
    lastWordMs: Math.max(hearing.lastWordMs, words.at(-1)?.endMs ?? 0),
    context: guarded ? '' : withContext(hearing.context, finals),
    ...(since !== undefined && { unsettledSinceMs: since }),
  }
}

/** Leaves behind what need not be heard again. */
function moveOn(
  hearing: HearingState,
  window: LiveWindow,
  { segments }: Heard,
  drafts: readonly Word[],
  regions: readonly Region[],
): HearingState {
  const lengthMs = window.endMs - window.startMs
  const nothing = segments.length === 0 && lengthMs >= NOTHING_MS
  const settledMs = Math.max(
    hearing.settledMs,
    quietFromMs(window, drafts, regions),
    nothing ? window.endMs - NOTHING_KEPT_MS : 0,
    // Whatever happens, windows move on.
    window.endMs - TRIM_MS,
  )
  const trimmedMs = lengthMs < TRIM_MS ? 0 : trimAt(segments, settledMs)
  return {
    ...hearing,
    settledMs,
    fromMs: Math.max(hearing.fromMs, trimmedMs, nothing ? settledMs : 0),
    attempts: 0,
  }
}

function trimAt(segments: readonly HeardSegment[], settledMs: number): number {
  const finished = segments.findLast(({ endMs }) => endMs <= settledMs)
  return finished && finished.endMs > settledMs - TRIM_FURTHEST_MS ? finished.endMs : settledMs - TRIM_KEPT_MS
}

/** Up to here all is final, the fading of the last word included: a region's end, not a word's. */
function quietFromMs(window: LiveWindow, drafts: readonly Word[], regions: readonly Region[]): number {
  if (window.over) return window.endMs
  const pauseMs = lastPauseMs(regions, window)
  const first = drafts[0]
  return first && middleMs(first) < pauseMs ? 0 : pauseMs
}
