import type { Machine } from './machines.ts'
import { boundBy, type Played, type PlayOptions, play, type ShardTime, sequentialMs } from './play.ts'

const HEAD = ['wall s', 'speed', 'plan s', 'spread s', 'worker s', '$', 'bound by']

/** One line for each number of workers. */
export function byWorkers(
  machine: Machine,
  shards: readonly ShardTime[],
  counts: readonly number[],
  options: Omit<PlayOptions, 'workers'>,
): string {
  const alone = sequentialMs(machine, shards, { ...options, workers: 1 })
  const lines = counts.map((workers) => {
    const all = { ...options, workers }
    const played = play(machine, shards, all)
    const faster = alone / played.wallMs
    const cells = [`${workers}`, `${played.used}`, faster.toFixed(1), (workers / faster).toFixed(2)]
    return line([...cells, ...common(shards, played), boundBy(machine, shards, all)])
  })
  return [line(['workers', 'used', 'speed-up', 'of 1/W', ...HEAD]), ...lines].join('\n')
}

/** One line for each length of shards. */
export function byLength(
  machine: Machine,
  shardsOf: (seconds: number) => readonly ShardTime[],
  lengths: readonly number[],
  options: PlayOptions,
): string {
  const lines = lengths.map((seconds) => {
    const shards = shardsOf(seconds)
    const slowest = Math.max(...shards.map(({ workMs }) => workMs))
    const cells = [`${seconds}`, `${shards.length}`, tenths(slowest)]
    return line([
      ...cells,
      ...common(shards, play(machine, shards, options)),
      boundBy(machine, shards, options),
    ])
  })
  return [line(['shard s', 'shards', 'slowest s', ...HEAD]), ...lines].join('\n')
}

function common(
  shards: readonly ShardTime[],
  { wallMs, planMs, spreadMs, workerMs, dollars }: Played,
): string[] {
  const audioMs = shards.reduce((sum, shard) => sum + shard.audioMs, 0)
  const speed = `${(audioMs / wallMs).toFixed(1)}x`
  return [tenths(wallMs), speed, ...[planMs, spreadMs, workerMs].map(tenths), dollars.toFixed(3)]
}

const tenths = (ms: number): string => (ms / 1000).toFixed(1)

/** The last cell is words and stands to the left. */
const line = (cells: readonly string[]): string =>
  `${cells
    .slice(0, -1)
    .map((cell) => cell.padStart(10))
    .join('')}  ${cells.at(-1)}`
