import { type Machine, type Ramp, VOTES } from './machines.ts'

/** A shard as a worker has heard it: its sound, and how long that took. In ms. */
export interface ShardTime {
  readonly audioMs: number
  readonly workMs: number
}

export interface PlayOptions {
  /** At most so many shards are heard at the same time. */
  readonly workers: number
  /** The workers are there and have their model: none has to start, and none is paid for when it has nothing to do. */
  readonly warm: boolean
  /** The client has named the language, so nobody has to listen for it. */
  readonly languageKnown?: boolean
}

/** How a recording went through its workers. Times in ms. */
export interface Played {
  /** From the recording's message to the first of a shard. */
  readonly planMs: number
  /** From there to the moment when the last shard is begun. */
  readonly spreadMs: number
  readonly wallMs: number
  /** Of all workers together, starts among it. */
  readonly workerMs: number
  /** Workers that have heard something. */
  readonly used: number
  readonly dollars: number
}

/** One worker that hears all in a row, uncut: what W workers should take a W-th of. */
export function sequentialMs(machine: Machine, shards: readonly ShardTime[], options: PlayOptions): number {
  const workMs = sumOf(shards, (shard) => shard.workMs)
  return firstStartMs(machine, options) + decideMs(machine, shards, options) + workMs + machine.stitchMs
}

/**
 * Plays shards onto workers as a queue would: each message, in order, is taken by the worker that is free first. The one
 * that has planned is the first of them, and whichever ends last joins the words.
 */
export function play(machine: Machine, shards: readonly ShardTime[], options: PlayOptions): Played {
  const startedMs = firstStartMs(machine, options)
  const handOutMs = shards.length * machine.handOutMs
  const planMs = startedMs + decideMs(machine, shards, options) + handOutMs
  const workers = Math.min(options.workers, shards.length)
  const opensAt = Array.from({ length: workers }, (_, worker) => planMs + opensMs(machine, worker, options))
  const { endMs, lastBeginMs, used } = queue(machine, shards, opensAt)
  const wallMs = endMs + machine.stitchMs + shards.length * machine.stitchMsPerShard

  const heardMs = sumOf(shards, ({ workMs }) => workMs + machine.besideMs)
  const busyMs = heardMs + (planMs - startedMs) + (wallMs - endMs)
  const starts = options.warm ? 0 : used
  const paidMs = paid(machine, options, { busyMs, used, presentMs: wallMs - startedMs, opensAt, wallMs })
  const requests = shards.length * machine.requestDollarsPerShard
  return {
    ...{ planMs, spreadMs: lastBeginMs - planMs, wallMs, used },
    workerMs: busyMs + starts * machine.paidStartMs,
    dollars: (paidMs / 3_600_000) * machine.dollarsPerHour + requests,
  }
}

function queue({ besideMs }: Machine, shards: readonly ShardTime[], opensAt: readonly number[]) {
  const free = [...opensAt]
  const used = new Set<number>()
  let [lastBeginMs, endMs] = [0, 0]
  for (const { workMs } of shards) {
    const worker = free.reduce((first, at, n) => (at < free[first]! ? n : first), 0)
    lastBeginMs = Math.max(lastBeginMs, free[worker]!)
    free[worker]! += besideMs + workMs
    endMs = Math.max(endMs, free[worker]!)
    used.add(worker)
  }
  return { lastBeginMs, endMs, used: used.size }
}

/** Lambda is paid for what is done; a machine that was started for this, for as long as it is there. */
function paid(
  { idleMs, paidStartMs }: Machine,
  { warm }: PlayOptions,
  it: { busyMs: number; used: number; presentMs: number; opensAt: readonly number[]; wallMs: number },
): number {
  if (warm) return it.busyMs
  if (idleMs === 0) return it.busyMs + it.used * paidStartMs
  const others = it.opensAt.slice(1).map((at) => Math.max(0, it.wallMs - at))
  return it.opensAt.length * (paidStartMs + idleMs) + it.presentMs + others.reduce((sum, ms) => sum + ms, 0)
}

/** What of the bounds, taken away alone, would make it faster most; if none by a fiftieth: the slowest shard. */
export function boundBy(machine: Machine, shards: readonly ShardTime[], options: PlayOptions): string {
  const wallMs = (freed: Partial<Machine>, workers = options.workers) =>
    play({ ...machine, ...freed }, shards, { ...options, workers }).wallMs
  const ramp = (freed: Partial<Ramp>) => machine.ramp && { ramp: { ...machine.ramp, ...freed } }
  const freer = [
    ['workers', wallMs({}, shards.length)],
    ['queue ramp', wallMs({ ...ramp({ first: Number.POSITIVE_INFINITY }) })],
    ['environments', wallMs({ ...ramp({ newPerSecond: Number.POSITIVE_INFINITY }) })],
  ] as const
  const [name, least] = freer.reduce((a, b) => (b[1] < a[1] ? b : a))
  return least < 0.98 * wallMs({}) ? name : 'slowest shard'
}

const firstStartMs = (machine: Machine, { warm }: PlayOptions): number => (warm ? 0 : machine.startMs)

/** What any window costs, in ms: the encoder's pass. */
export const passMs = ({ workPerAudio, passShare }: Machine): number => 28_000 * workPerAudio * passShare

/** Until it is known where to cut and in which language to hear. */
function decideMs(machine: Machine, shards: readonly ShardTime[], { languageKnown }: PlayOptions): number {
  const hours = sumOf(shards, ({ audioMs }) => audioMs) / 3_600_000
  return hours * machine.planMsPerHour + (languageKnown ? 0 : VOTES * passMs(machine))
}

/** When a worker may take its first message, from the first one on; the planner is at hand. */
function opensMs({ ramp, moreStartMs }: Machine, worker: number, { warm }: PlayOptions): number {
  const startMs = warm || worker === 0 ? 0 : moreStartMs
  if (!ramp) return startMs
  const late = Math.max(0, worker + 1 - ramp.first)
  const polledMs = (late / ramp.perMinute) * 60_000
  return startMs + Math.max(polledMs, warm ? 0 : (worker / ramp.newPerSecond) * 1_000)
}

const sumOf = (shards: readonly ShardTime[], of: (shard: ShardTime) => number): number =>
  shards.reduce((sum, shard) => sum + of(shard), 0)
