import { CUT_DEFAULTS, type Cut, costOfPause, cutsInPauses, LAST_RESORT } from './cuts.ts'
import type { VoiceTrack } from './voice.ts'
import type { Window } from './windows.ts'

/** Where a shard ends. */
export interface Boundary {
  /** How much speech lies before it. */
  readonly atMs: number
  /** The place of the window that is the shard's last. */
  readonly place: number
  /** Where that window is cut in two; absent: the shard has all of it. */
  readonly cut?: Cut
  readonly cost: number
}

/** How far from an even end to look, in shards. So the ends of two shards are never sought in the same place. */
const REACH = 1 / 3

/**
 * Where a channel's windows part into `count` shards of about even length: how, says `cutShards`. In order, the last
 * shard's end left out. Fewer where a stretch of a shard's length has neither a window's end nor a pause.
 */
export function chooseBoundaries(windows: readonly Window[], track: VoiceTrack, count: number): Boundary[] {
  if (count < 2) return []
  const totalMs = windows.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
  const choices = choicesOf(windows, track, count, totalMs / count)
  return cheapest(choices, totalMs, totalMs / count)
}

/** For each end of even shards: where it may really be. */
function choicesOf(
  windows: readonly Window[],
  track: VoiceTrack,
  count: number,
  evenMs: number,
): Boundary[][] {
  const ends = endsOf(windows)
  let splits: Boundary[] | undefined
  const choices: Boundary[][] = []
  for (let shard = 1; shard < count; shard++) {
    const [fromMs, toMs] = [(shard - REACH) * evenMs, (shard + REACH) * evenMs]
    const near = between(ends, fromMs, toMs)
    if (near.every(({ cost }) => cost >= LAST_RESORT)) {
      splits ??= splitsOf(windows, track)
      near.push(...between(splits, fromMs, toMs))
    }
    if (near.length > 0) choices.push(near)
  }
  return choices
}

/** The ends of all windows but the last. */
function endsOf(windows: readonly Window[]): Boundary[] {
  let atMs = 0
  return windows.slice(0, -1).map(({ startMs, endMs, pauseMs }, place) => {
    atMs += endMs - startMs
    return { atMs, place, cost: pauseMs < CUT_DEFAULTS.leastPauseMs ? LAST_RESORT : costOfPause(pauseMs) }
  })
}

/** A window of less is hardly a word. */
const SCRAP_MS = 1_000
const SCRAP = 1

/** The pauses inside windows. */
function splitsOf(windows: readonly Window[], track: VoiceTrack): Boundary[] {
  const splits: Boundary[] = []
  let place = 0
  let beforeMs = 0
  for (const cut of cutsInPauses(track, CUT_DEFAULTS)) {
    for (; windows[place]!.endMs <= cut.startMs && place < windows.length - 1; place++)
      beforeMs += windows[place]!.endMs - windows[place]!.startMs
    const { startMs, endMs } = windows[place]!
    if (cut.endMs <= startMs || cut.startMs >= endMs) continue
    const scrap = Math.min(cut.endMs - startMs, endMs - cut.startMs) < SCRAP_MS
    splits.push({ atMs: beforeMs + cut.endMs - startMs, place, cut, cost: cut.cost + (scrap ? SCRAP : 0) })
  }
  return splits
}

/** Those of some ends, which are in order, that lie between two moments. */
function between(ends: readonly Boundary[], fromMs: number, toMs: number): Boundary[] {
  const near: Boundary[] = []
  for (let i = firstFrom(ends, fromMs); i < ends.length && ends[i]!.atMs <= toMs; i++) near.push(ends[i]!)
  return near
}

function firstFrom(ends: readonly Boundary[], fromMs: number): number {
  let [low, high] = [0, ends.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ends[middle]!.atMs < fromMs) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Evenness against pauses: an end a third of a shard off costs as much as a pause of half a second has over one of
 * 0.7 s, or one of 1 s over one of 2.2 s; pauses of more than two seconds are as good as each other.
 */
const UNEVEN = 1 / 4

/** A shard that is more than a third off makes all wait, or is not worth its worker: only to spare a word. */
const FAR_OFF = 10

function unevenness(lengthMs: number, evenMs: number): number {
  const off = Math.abs(lengthMs / evenMs - 1)
  return UNEVEN * off ** 2 + (off > REACH ? FAR_OFF : 0)
}

interface Path {
  readonly atMs: number
  readonly cost: number
  readonly end?: Boundary
  readonly from?: Path
}

/** One end of each choice, in order: the cheapest together, a shortest path as with windows. */
function cheapest(choices: readonly (readonly Boundary[])[], totalMs: number, evenMs: number): Boundary[] {
  const wayTo = (paths: readonly Path[], atMs: number): Path => {
    const costs = paths.map((from) => from.cost + unevenness(atMs - from.atMs, evenMs))
    const cost = Math.min(...costs)
    return { atMs, cost, from: paths[costs.indexOf(cost)]! }
  }
  let paths: Path[] = [{ atMs: 0, cost: 0 }]
  for (const choice of choices)
    paths = choice.map((end) => {
      const path = wayTo(paths, end.atMs)
      return { ...path, cost: path.cost + end.cost, end }
    })
  const ends: Boundary[] = []
  for (let path = wayTo(paths, totalMs).from; path?.end; path = path.from) ends.push(path.end)
  return ends.reverse()
}
