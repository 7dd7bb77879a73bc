import { SILENCE_DB } from './levels.ts'
import { dipsWithin, pausesWithin } from './pauses.ts'
import { type Region, VOICE_DEFAULTS, type VoiceTrack } from './voice.ts'

/** A stretch of the recording that the engine hears in one request, ms in the recording. */
export interface Window {
  /** Its place, from 0. */
  readonly index: number
  readonly startMs: number
  readonly endMs: number
}

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

/**
 * Cuts what may be speech into windows: in order, apart from each other, every region inside them, none longer
 * than `maxMs`. The same track gives the same windows. Cut and merge is WhisperX's scheme (M. Bain et al.,
 * Interspeech 2023, arXiv:2303.00747); here the cuts are chosen together, so that windows are few and pauses long.
 * The constants are measured: docs/adr/0002-windows-cut-at-pauses.md.
 */
export function cutWindows(track: VoiceTrack, options: Partial<CutOptions> = {}): Window[] {
  const settings = { ...CUT_DEFAULTS, ...options }
  return stretchesOf(track.regions, settings.innerSilenceMs)
    .flatMap((stretch, i, all) => {
      const before = all[i - 1]?.at(-1)?.endMs
      const after = all[i + 1]?.[0]?.startMs
      return fewestWindows(cutsOf(stretch, { before, after }, track, settings), settings.maxMs)
    })
    .map((window, index) => ({ index, ...window }))
}

/** Regions with no long silence between them, together. */
function stretchesOf(regions: readonly Region[], innerSilenceMs: number): Region[][] {
  const stretches: Region[][] = []
  for (const region of regions) {
    const stretch = stretches.at(-1)
    if (stretch && region.startMs - stretch.at(-1)!.endMs <= innerSilenceMs) stretch.push(region)
    else stretches.push([region])
  }
  return stretches
}

/** A place where one window may end and the next begin, and what that costs, in windows. */
interface Cut {
  readonly endMs: number
  readonly startMs: number
  readonly cost: number
}

/** A cut in a pause this long is as bad as one window more; in a longer one it is better in proportion. */
const WORTH_A_WINDOW_MS = 100

/** Cutting somebody who does not pause: the last resort, the less bad the quieter. */
const LAST_RESORT = 1_000
const LAST_RESORT_PER_DB = 1 / 50

/** All places where a stretch can be cut, its beginning first and its end last. */
function cutsOf(
  stretch: readonly Region[],
  { before = Number.NEGATIVE_INFINITY, after = Number.POSITIVE_INFINITY }: Neighbours,
  { level, durationMs }: VoiceTrack,
  settings: CutOptions,
): Cut[] {
  const first = stretch[0]!.startMs
  const last = stretch.at(-1)!.endMs
  const cuts: Cut[] = [
    { endMs: first, startMs: Math.max(0, leadIn(before, first, settings)), cost: 0 },
    ...stretch.flatMap((region, i) => [
      ...(i > 0 ? [betweenRegions(stretch[i - 1]!.endMs, region.startMs, settings)] : []),
      ...cutsWithin(region, level, settings),
    ]),
    { endMs: Math.min(durationMs, tailOut(last, after, settings)), startMs: last, cost: 0 },
  ]
  return cuts
}

interface Neighbours {
  /** Where the stretch before ends and the one after begins. */
  readonly before: number | undefined
  readonly after: number | undefined
}

const leadIn = (fromMs: number, toMs: number, { leadMs }: CutOptions): number =>
  toMs - Math.min(leadMs, Math.floor((toMs - fromMs) / 2))

const tailOut = (fromMs: number, toMs: number, { tailMs }: CutOptions): number =>
  fromMs + Math.min(tailMs, Math.floor((toMs - fromMs) / 2))

/** The gate's padding was a pause too. */
const PADDING_MS = VOICE_DEFAULTS.padBeforeMs + VOICE_DEFAULTS.padAfterMs

function betweenRegions(fromMs: number, toMs: number, settings: CutOptions): Cut {
  return {
    endMs: tailOut(fromMs, toMs, settings),
    startMs: leadIn(fromMs, toMs, settings),
    cost: WORTH_A_WINDOW_MS / (toMs - fromMs + PADDING_MS),
  }
}

function cutsWithin(region: Region, level: VoiceTrack['level'], settings: CutOptions): Cut[] {
  const cuts: Cut[] = []
  let spokenFromMs = region.startMs
  const speechUntil = (endMs: number) => {
    if (endMs - spokenFromMs <= settings.maxMs / 2) return
    for (const { atMs, level: db } of dipsWithin({ startMs: spokenFromMs, endMs }, level))
      cuts.push(cutAt(atMs, LAST_RESORT + (db - SILENCE_DB) * LAST_RESORT_PER_DB))
  }
  for (const { startMs, endMs } of pausesWithin(region, level, settings.leastPauseMs)) {
    const atMs = Math.floor((startMs + endMs) / 2)
    speechUntil(atMs)
    cuts.push(cutAt(atMs, WORTH_A_WINDOW_MS / (endMs - startMs)))
    spokenFromMs = atMs
  }
  speechUntil(region.endMs)
  return cuts
}

const cutAt = (atMs: number, cost: number): Cut => ({ endMs: atMs, startMs: atMs, cost })

/**
 * The cheapest way through the cuts in windows of at most `maxMs`: a shortest path (the idea of line breaking in
 * D. Knuth and M. Plass, Software: Practice and Experience 11, 1981), not the first fit, which would leave a
 * rest of two words for a window of its own.
 */
function fewestWindows(cuts: readonly Cut[], maxMs: number): Region[] {
  const costs = [0]
  const froms = [0]
  for (let to = 1; to < cuts.length; to++) {
    costs[to] = Number.POSITIVE_INFINITY
    for (let from = to - 1; from >= 0 && cuts[to]!.endMs - cuts[from]!.startMs <= maxMs; from--) {
      const cost = costs[from]! + 1 + cuts[to]!.cost
      if (cost >= costs[to]!) continue
      costs[to] = cost
      froms[to] = from
    }
  }
  const windows: Region[] = []
  for (let to = cuts.length - 1; to > 0; to = froms[to]!)
    windows.unshift({ startMs: cuts[froms[to]!]!.startMs, endMs: cuts[to]!.endMs })
  return windows
}
