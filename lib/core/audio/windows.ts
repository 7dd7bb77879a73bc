import { CUT_DEFAULTS, type Cut, type CutOptions, cutsOf } from './cuts.ts'
import type { Region, VoiceTrack } from './voice.ts'

/** A stretch of the recording that the engine hears in one request, ms in the recording. */
export interface Window {
  /** Its place, from 0. */
  readonly index: number
  readonly startMs: number
  readonly endMs: number
  /**
   * The length of the pause that it ends in, the gate's padding included: 0 is a cut inside unbroken speech. For the
   * last one: the silence that is left.
   */
  readonly pauseMs: number
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

/**
 * The cheapest way through the cuts in windows of at most `maxMs`: a shortest path (the idea of line breaking in
 * D. Knuth and M. Plass, Software: Practice and Experience 11, 1981), not the first fit, which would leave a
 * rest of two words for a window of its own.
 */
function fewestWindows(cuts: readonly Cut[], maxMs: number): Omit<Window, 'index'>[] {
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
  const windows: Omit<Window, 'index'>[] = []
  for (let to = cuts.length - 1; to > 0; to = froms[to]!) {
    const { endMs, pauseMs } = cuts[to]!
    windows.unshift({ startMs: cuts[froms[to]!]!.startMs, endMs, pauseMs })
  }
  return windows
}
