import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { MACHINES, type Machine } from './scale/machines.ts'
import { passMs, type ShardTime, sequentialMs } from './scale/play.ts'
import { byLength, byWorkers } from './scale/table.ts'
import { drawn, stretched, Times } from './scale/times.ts'
import { print } from './stats.ts'

// How long a recording takes on how many workers: `npm run bench:scale`. A simulation: prices and the queue's ramp are
// AWS's, the plan is the planner's own, the rest is reckoned, stands in scale/machines.ts and can be set here. With
// `--times` the shards' times are those of a recording that was heard on some machine (bench:long), at the speed of the
// model in question: then what differs between shards is measured.

const WORKERS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
const LENGTHS = [30, 60, 75, 90, 120, 300, 600]
const SHARD_SECONDS = { cpu: 75, gpu: 300, local: 120 }

const atLeast =
  (least: number) =>
  (text: string): number => {
    if (Number(text) >= least) return Number(text)
    throw new InvalidArgumentError(`Give a number of at least ${least}.`)
  }
const number = atLeast(0.001)

const command = new Command('npm run bench:scale --')
  .option('--hours <n>', 'length of the recording', number, 1)
  .addOption(new Option('--compute <kind>', 'what hears').choices(['cpu', 'gpu', 'local']).default('cpu'))
  .option('--shard-seconds <n>', 'length of a shard', number)
  .option('--times <file>', 'shards as they were heard: {"shards": [{"audioMs", "workMs"}]}')
  .option('--work-per-audio <n>', 'seconds of work for a second of sound', number)
  .option('--start-seconds <n>', 'how long a cold worker takes to start', atLeast(0))
  .option('--language', 'the client has named the language')
  .option('--lengths <workers>', 'compare lengths of shards on so many workers', number)
  .parse()
const flags = command.opts<{
  hours: number
  compute: keyof typeof MACHINES
  shardSeconds?: number
  times?: string
  workPerAudio?: number
  startSeconds?: number
  language?: boolean
  lengths?: number
}>()

function main(): void {
  const machine = machineOf()
  const { hours } = flags
  const known = { languageKnown: flags.language ?? false }
  print(`${hours} h of talk on ${machine.label}: ${machine.workPerAudio.toFixed(3)} s of work for a second,`)
  print(
    `of it ${seconds(passMs(machine))} for the pass of a window; a cold start takes ${seconds(machine.startMs)}.`,
  )
  print('A simulation; what is reckoned in it stands in bench/scale/machines.ts.')
  for (const warm of [false, true]) {
    print(warm ? '\nwarm: the workers are there' : '\ncold: nothing runs')
    if (flags.lengths)
      print(byLength(machine, shardsOf(machine), LENGTHS, { workers: flags.lengths, warm, ...known }))
    else print(compareWorkers(machine, warm, known))
  }
}

function compareWorkers(machine: Machine, warm: boolean, known: { languageKnown: boolean }): string {
  const shards = shardsOf(machine)(flags.shardSeconds ?? SHARD_SECONDS[flags.compute])
  const slowest = Math.max(...shards.map(({ workMs }) => workMs))
  const alone = sequentialMs(machine, shards, { workers: 1, warm, ...known })
  const head = `${shards.length} shards, the slowest ${seconds(slowest)}; in a row ${seconds(alone)}`
  return `${head}\n${byWorkers(machine, shards, WORKERS, { warm, ...known })}`
}

function machineOf(): Machine {
  const { workPerAudio, startSeconds } = flags
  const startMs = (startSeconds ?? 0) * 1000
  return {
    ...MACHINES[flags.compute],
    ...(workPerAudio !== undefined && { workPerAudio }),
    ...(startSeconds !== undefined && { startMs, moreStartMs: startMs, paidStartMs: startMs }),
  }
}

function shardsOf(machine: Machine): (shardSeconds: number) => ShardTime[] {
  const { hours, times } = flags
  if (times === undefined) return (shardSeconds) => drawn(machine, hours, shardSeconds * 1000)
  const { shards } = Times.parse(JSON.parse(readFileSync(times, 'utf8')))
  return () => stretched(shards, hours, machine.workPerAudio)
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

main()
