import { SILENCE_DB } from './levels.ts'
import { dipsWithin, pausesWithin } from './pauses.ts'
import { type Region, VOICE_DEFAULTS, type VoiceTrack } from './voice.ts'

/** How to cut. All in ms. */
export interface CutOptions {
  /** No window is longer: whisper hears 30 s at once, and a remainder would cost a second pass. At least 5 s. */
  readonly maxMs: number
  /** How much of the silence before a region a window has, and after one; half of a pause at most. */
  readonly leadMs: number
  readonly tailMs: number
  /** A silence longer than this is in no window. */
  readonly innerSilenceMs: number
  /** Shorter dips are closures inside words: cut there only where there is no longer one. */
  readonly leastPauseMs: number
}

export const CUT_DEFAULTS: CutOptions = {
  maxMs: 28_000,
  leadMs: 400,
  tailMs: 300,
  innerSilenceMs: 5_000,
  leastPauseMs: 150,
}

/** A place where one window may end and the next begin. */
export interface Cut {
  readonly endMs: number
  readonly startMs: number
  /** How long the pause is that it lies in; 0 inside unbroken speech. */
  readonly pauseMs: number
  /** What it costs, in windows. */
  readonly cost: number
}

/** Where the stretch before ends and the one after begins; undefined: there is none. */
interface Neighbours {
  readonly before: number | undefined
  readonly after: number | undefined
}

/** All places where a stretch of regions can be cut, its beginning first and its end last. */
export function cutsOf(
  stretch: readonly Region[],
  { before = Number.NEGATIVE_INFINITY, after }: Neighbours,
  { level, durationMs }: VoiceTrack,
  settings: CutOptions,
): Cut[] {
  const first = stretch[0]!.startMs
  const last = stretch.at(-1)!.endMs
  const endMs = Math.min(durationMs, tailOut(last, after ?? Number.POSITIVE_INFINITY, settings))
  const silenceMs = after === undefined ? durationMs - last : after - last + PADDING_MS
  return [
    { endMs: first, startMs: Math.max(0, leadIn(before, first, settings)), pauseMs: 0, cost: 0 },
    ...stretch.flatMap((region, i) => [
      ...(i > 0 ? [betweenRegions(stretch[i - 1]!.endMs, region.startMs, settings)] : []),
      ...cutsWithin(region, level, settings),
    ]),
    { endMs, startMs: last, pauseMs: silenceMs, cost: 0 },
  ]
}

/**
 * The places that lie in pauses of at least `leastPauseMs`, in order: between regions, and inside them by loudness.
 * The quiet edges of a region are left out: they are the gate's padding and belong to the pause around.
 */
export function cutsInPauses({ regions, level }: VoiceTrack, settings: CutOptions): Cut[] {
  return regions.flatMap((region, i) => [
    ...(i > 0 ? [betweenRegions(regions[i - 1]!.endMs, region.startMs, settings)] : []),
    ...pausesWithin(region, level, settings.leastPauseMs)
      .filter(({ startMs, endMs }) => startMs > region.startMs && endMs < region.endMs)
      .map(inPause),
  ])
}

/** A cut in a pause this long is as bad as one window more; in a longer one it is better in proportion. */
const WORTH_A_WINDOW_MS = 100

/** What a cut in a pause costs, in windows. */
export const costOfPause = (pauseMs: number): number => WORTH_A_WINDOW_MS / pauseMs

/** Cutting somebody who does not pause: the last resort, the less bad the quieter. */
export const LAST_RESORT = 1_000
const LAST_RESORT_PER_DB = 1 / 50

const leadIn = (fromMs: number, toMs: number, { leadMs }: CutOptions): number =>
  toMs - Math.min(leadMs, Math.floor((toMs - fromMs) / 2))

const tailOut = (fromMs: number, toMs: number, { tailMs }: CutOptions): number =>
  fromMs + Math.min(tailMs, Math.floor((toMs - fromMs) / 2))

/** The gate's padding was a pause too. */
const PADDING_MS = VOICE_DEFAULTS.padBeforeMs + VOICE_DEFAULTS.padAfterMs

function betweenRegions(fromMs: number, toMs: number, settings: CutOptions): Cut {
  const pauseMs = toMs - fromMs + PADDING_MS
  return {
    endMs: tailOut(fromMs, toMs, settings),
    startMs: leadIn(fromMs, toMs, settings),
    pauseMs,
    cost: costOfPause(pauseMs),
  }
}

function cutsWithin(region: Region, level: VoiceTrack['level'], settings: CutOptions): Cut[] {
  const cuts: Cut[] = []
  let spokenFromMs = region.startMs
  const speechUntil = (endMs: number) => {
    if (endMs - spokenFromMs <= settings.maxMs / 2) return
    for (const { atMs, level: db } of dipsWithin({ startMs: spokenFromMs, endMs }, level))
      cuts.push(cutAt(atMs, 0, LAST_RESORT + (db - SILENCE_DB) * LAST_RESORT_PER_DB))
  }
  for (const pause of pausesWithin(region, level, settings.leastPauseMs)) {
    const cut = inPause(pause)
    speechUntil(cut.endMs)
    cuts.push(cut)
    spokenFromMs = cut.endMs
  }
  speechUntil(region.endMs)
  return cuts
}

function inPause({ startMs, endMs }: Region): Cut {
  const pauseMs = endMs - startMs
  return cutAt(Math.floor((startMs + endMs) / 2), pauseMs, costOfPause(pauseMs))
}

const cutAt = (atMs: number, pauseMs: number, cost: number): Cut => ({
  endMs: atMs,
  startMs: atMs,
  pauseMs,
  cost,
})
