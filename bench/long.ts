import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { Command } from 'commander'
import { DEFAULT_SETTINGS } from '../lib/core/settings.ts'
import { cleanUp } from '../test/support/service.ts'
import { bareEngines } from './long/bare.ts'
import { type LongRecording, longRecording } from './long/recording.ts'
import { memoryLines, type Parallel, type Round, timeLines, wordLines } from './long/report.ts'
import { type RunFigures, runLong } from './long/run.ts'
import { standInEngine } from './long/stand-in.ts'
import { print } from './stats.ts'

// A long recording on more and more workers: `npm run bench:long`. Measured against the bare engine, which gets the whole
// recording decoded and in one request, and against this service hearing it in one piece; every engine has one thread.
// Recordings are put together from known words, so that words that were lost or changed are counted. `--memory` hears
// recordings of other lengths and looks at the memory of our own process and of the decoder.

const command = new Command('npm run bench:long --')
  .option('--minutes <n>', 'length of the recording; 0: memory only', '60')
  .option('--workers <list>', 'engines at once, a run for each number', [1, availableParallelism()].join())
  .option('--shard-minutes <n>', 'speech in a shard', String(DEFAULT_SETTINGS.shardMs / 60_000))
  .option('--model <name>', 'model by name or path', 'mini')
  .option('--rounds <n>', 'how often all of it is measured', '1')
  .option('--memory <list>', 'lengths in minutes whose memory is looked at')
  .option('--stand-in', 'look at memory with an engine that answers at once; hours take a minute')
  .option('--times <file>', "write the shards' times there, for bench:scale")
  .parse()
const flags = command.opts<
  Record<'minutes' | 'workers' | 'shardMinutes' | 'model' | 'rounds', string> & {
    memory?: string
    standIn?: true
    times?: string
  }
>()

const tell = (text: string): void => void process.stderr.write(`${text}\n`)
const numbers = (list: string): number[] => list.split(',').map(Number)

/** More speech in one shard than any recording has. */
const ONE_PIECE = 100_000

const run = (recording: LongRecording, workers: number, shardMinutes = Number(flags.shardMinutes)) =>
  runLong(recording, { model: flags.model, workers, shardMinutes })

async function main(): Promise<void> {
  const load = loadavg()[0]!.toFixed(2)
  print(`model ${flags.model}, engines of 1 thread, ${availableParallelism()} cores, load before ${load}`)
  if (Number(flags.minutes) > 0) await measureTimes(Number(flags.minutes))
  if (flags.memory !== undefined) await measureMemory(numbers(flags.memory))
}

async function measureTimes(minutes: number): Promise<void> {
  tell('making the recording')
  const recording = await longRecording(minutes)
  const rounds: Round[] = []
  for (let n = 0; n < Number(flags.rounds); n++) rounds.push(await measureRound(recording))
  const length = (recording.durationMs / 60_000).toFixed(1)
  print(`\n${length} min of talk, shards of ${flags.shardMinutes} min, ${rounds.length} round(s)\n`)
  for (const line of timeLines(rounds)) print(line)
  print('')
  for (const line of wordLines(recording, rounds[0]!)) print(line)
  if (flags.times !== undefined) writeTimes(flags.times, rounds[0]!.parallel.at(-1)!.run)
}

async function measureRound(recording: LongRecording): Promise<Round> {
  const { model } = flags
  tell('the bare engine')
  const bare = await bareEngines(recording, { model, count: 1 })
  tell('in one piece')
  const sequential = await run(recording, 1, ONE_PIECE)
  const parallel: Parallel[] = []
  for (const workers of numbers(flags.workers)) {
    tell(`${workers} at once`)
    const measured = await run(recording, workers)
    const same = workers === 1 ? bare : await bareEngines(recording, { model, count: workers })
    parallel.push({ run: measured, bare: same })
  }
  return { bare, sequential, parallel }
}

function writeTimes(file: string, { shards }: RunFigures): void {
  if (shards.length === 0) throw new Error('The recording was heard in one piece.')
  writeFileSync(file, `${JSON.stringify({ shards }, null, 2)}\n`)
}

async function measureMemory(lengths: readonly number[]): Promise<void> {
  const runs: Array<{ minutes: number; run: RunFigures }> = []
  const workers = Math.max(...numbers(flags.workers))
  for (const minutes of lengths) {
    tell(`memory, ${minutes} min`)
    const options = { model: flags.model, workers, shardMinutes: Number(flags.shardMinutes) }
    const env = flags.standIn ? await standInEngine() : {}
    runs.push({ minutes, run: await runLong(await longRecording(minutes), { ...options, env }) })
  }
  print('\nmemory of our own process, engines and decoder not counted')
  for (const line of memoryLines(runs)) print(line)
}

const interrupted = new Promise<'interrupted'>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve('interrupted'))
})
// Whatever fails after an interrupt fails because of it. Killed services take their engines with them.
const outcome = await Promise.race([main(), interrupted]).finally(cleanUp)
if (outcome) process.exit(130)
