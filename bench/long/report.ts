import type { Timed } from '../live/align.ts'
import { row } from '../stats.ts'
import type { BareFigures } from './bare.ts'
import type { LongRecording } from './recording.ts'
import type { RunFigures } from './run.ts'
import { errorsBetween, pausesIn } from './words.ts'

/** All that was measured in one round. */
export interface Round {
  readonly bare: BareFigures
  readonly sequential: RunFigures
  readonly parallel: readonly Parallel[]
}

export interface Parallel {
  readonly run: RunFigures
  /** As many bare engines, a part of the recording each. */
  readonly bare: BareFigures
}

const seconds = (ms: number): number => ms / 1000

/** Work that is not the engine's: of the planner, of the shards' workers, and of the one who joins them. */
function besides({ phases, usage, shards }: RunFigures) {
  const shardsMs = shards.reduce((sum, { workMs }) => sum + workMs, 0)
  return {
    plan: phases.planMs,
    store: phases.storeMs,
    shards:
      shards.length > 0
        ? shardsMs - (usage.engineMs - phases.languageMs)
        : usage.workMs - usage.engineMs - phases.planMs,
    stitch: phases.stitchMs,
  }
}

const sum = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((total, part) => total + part, 0)

export function timeLines(rounds: readonly Round[]): string[] {
  const all = <T>(of: (round: Round) => T) => rounds.map(of)
  const first = rounds[0]!
  return [
    row(
      'bare engine, one request, s',
      all(({ bare }) => bare.seconds),
      1,
    ),
    row(
      'in one piece, upload to COMPLETED, s',
      all(({ sequential }) => seconds(sequential.wallMs)),
      1,
    ),
    row(
      '  of it the engine, s',
      all(({ sequential }) => seconds(sequential.usage.engineMs)),
      1,
    ),
    row(
      '  over the bare engine',
      all(({ sequential, bare }) => seconds(sequential.wallMs) / bare.seconds),
    ),
    ...first.parallel.flatMap(({ run: { workers, shards } }, i) => [
      '',
      `${workers} at once, ${shards.length} shards`,
      ...parallelLines(rounds, i, workers),
    ]),
  ]
}

function parallelLines(rounds: readonly Round[], i: number, workers: number): string[] {
  const all = (of: (it: Parallel, round: Round) => number) =>
    rounds.map((round) => of(round.parallel[i]!, round))
  const part = (name: keyof ReturnType<typeof besides>) => all(({ run }) => seconds(besides(run)[name]))
  const alone = ({ sequential }: Round) => sequential.wallMs
  return [
    row(
      '  upload to COMPLETED, s',
      all(({ run }) => seconds(run.wallMs)),
      1,
    ),
    row(
      `  over (in one piece / ${workers}); at most 1.15`,
      all(({ run }, round) => run.wallMs / (alone(round) / workers)),
    ),
    row(
      `  over (bare engine / ${workers})`,
      all(({ run }, round) => seconds(run.wallMs) / (round.bare.seconds / workers)),
    ),
    row(
      `  bare engines beside each other, s`,
      all(({ bare }) => bare.seconds),
      1,
    ),
    row(
      '  over these',
      all(({ run, bare }) => seconds(run.wallMs) / bare.seconds),
    ),
    row(
      '  engine time, s',
      all(({ run }) => seconds(run.usage.engineMs)),
      1,
    ),
    row(
      '  all work, s',
      all(({ run }) => seconds(run.usage.workMs)),
      1,
    ),
    row(
      '  upload, s',
      all(({ run }) => seconds(run.phases.uploadMs)),
    ),
    row('  plan, s', part('plan')),
    row(
      '  language (the engine), s',
      all(({ run }) => seconds(run.phases.languageMs)),
    ),
    row('  sounds, messages, s', part('store')),
    row('  shards besides the engine, all together, s', part('shards')),
    row('  stitch, s', part('stitch')),
    row(
      '  these four, % of one piece; at most 5',
      all(({ run }, round) => (100 * sum(besides(run))) / alone(round)),
    ),
    row(
      '  CPU of our process and the decoder, s',
      all(({ run: { cpu } }) => cpu.ownS + cpu.decoderS),
    ),
  ]
}

/** Errors of each run, and between the runs. */
export function wordLines({ words }: LongRecording, { bare, sequential, parallel }: Round): string[] {
  const cuts = pausesIn(words)
  const errors = (one: readonly Timed[], other: readonly Timed[]) => errorsBetween(one, other, cuts)
  const said = words.length
  const line = (name: string, heard: readonly Timed[]) => {
    const wrong = errors(words, heard)
    return `${name.padEnd(32)} ${String(wrong).padStart(6)} of ${said} words wrong (${((100 * wrong) / said).toFixed(2)} %)`
  }
  const than = (heard: readonly Timed[]) => {
    const other = errors(sequential.words, heard)
    const elsewhere = moved(sequential.words, heard)
    const times = elsewhere === undefined ? '' : `, ${elsewhere} over ${NEAR_MS} ms elsewhere`
    return `; ${other} others than in one piece${times}`
  }
  return [
    line('bare engine', bare.words),
    line('in one piece', sequential.words),
    ...parallel.map(({ run }) => `${line(`${run.workers} at once`, run.words)}${than(run.words)}`),
  ]
}

/** The engine's times wander with what is in the same request. */
const NEAR_MS = 300

/** How many words begin elsewhere in another run; undefined where one run has more words. */
const moved = (one: readonly Timed[], other: readonly Timed[]): number | undefined =>
  one.length === other.length
    ? one.filter(({ startMs }, i) => Math.abs(startMs - other[i]!.startMs) > NEAR_MS).length
    : undefined

export function memoryLines(runs: ReadonlyArray<{ minutes: number; run: RunFigures }>): string[] {
  const mb = (value: number) => value.toFixed(0).padStart(5)
  const lines = runs.map(
    ({ minutes, run: { memory, wallMs } }) =>
      `${String(minutes).padStart(5)} min: at rest ${mb(memory.restMb)} MB, peak ${mb(memory.peakMb)} MB, ffmpeg ${mb(memory.decoderMb)} MB (${seconds(wallMs).toFixed(0)} s)`,
  )
  const peaks = runs.map(({ run }) => run.memory.peakMb)
  const grown = peaks.at(-1)! / peaks[0]!
  return [...lines, ...(runs.length > 1 ? [`longest over shortest: ${grown.toFixed(2)}`] : [])]
}
