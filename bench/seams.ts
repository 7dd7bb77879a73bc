import { Command } from 'commander'
import { createLog } from '../lib/adapters/log.ts'
import { ensureEngine } from '../lib/adapters/whisper/build.ts'
import { resolveModel } from '../lib/adapters/whisper/models.ts'
import { createEngine } from '../lib/adapters/whisper/pool.ts'
import { SEAM_PAUSE_MS } from '../lib/core/audio/shards.ts'
import type { Engine } from '../lib/core/ports.ts'
import { randomFrom } from '../test/support/random.ts'
import { cached } from './seams/cached.ts'
import { blindly, type Cuts, inOnePiece, inShards, trackOf } from './seams/cuts.ts'
import { hearCuts } from './seams/hear.ts'
import { errorsOf, type Fault, faultsOf, judge } from './seams/judge.ts'
import { makeRecording, type SeamRecording, STYLES } from './seams/recording.ts'
import { costLine, type Mended, type Result, table, total } from './seams/report.ts'
import { print } from './stats.ts'

// What cutting a recording costs in words: `node bench/seams.ts`. Recordings of people who pause, who hardly pause, and
// who do that in noise, heard uncut by the bare engine, in windows one after the other, and in shards, without and with
// what is heard again around the seams. Every word and its time is known.

const command = new Command('node bench/seams.ts')
  .option('--recordings <n>', 'how many', '20')
  .option('--seed <n>', 'another seed makes other recordings', '1')
  .option('--minutes <from-to>', 'how long they are', '5-15')
  .option('--shard-seconds <n>', 'short shards, so that there are many cuts', '60')
  .option('--seam-ms <n>', 'how much is heard again on each side of a seam')
  .option('--seam-pause-ms <n>', 'cuts in shorter pauses are seams', String(SEAM_PAUSE_MS))
  .option('--brief', 'hear the sound around the seams with less effort')
  .option('--blind', 'cut anywhere, mostly inside words, in place of the windows')
  .option('--model <name>', 'model by name or path', 'mini')
  .option('--processes <n>', 'engines side by side, of one thread each', '2')
  .option('--cache <folder>', 'keep what the engine says there, for the next run')
  .parse()
const flags = command.opts<{
  recordings: string
  seed: string
  minutes: string
  shardSeconds: string
  seamMs?: string
  seamPauseMs: string
  brief?: true
  blind?: true
  model: string
  processes: string
  cache?: string
}>()

const costs = { uncut: cost(), windows: cost(), seams: cost() }
type Engines = Readonly<Record<keyof typeof costs, Engine>>

function cost() {
  return { requests: 0, ms: 0 }
}

async function main(): Promise<void> {
  const [built, { path, name }] = [await ensureEngine(), await resolveModel(flags.model)]
  const engine = createEngine({
    ...built,
    ...{ modelPath: path, modelName: name, threads: 1, processes: Number(flags.processes) },
    log: createLog({ level: 'error' }),
  })
  const engines = {
    uncut: cached(engine, costs.uncut, flags.cache),
    windows: cached(engine, costs.windows, flags.cache),
    seams: cached(engine, costs.seams, flags.cache),
  }
  try {
    const results: Result[] = []
    for (const recording of recordings()) {
      const result = await measure(engines, recording)
      process.stderr.write(`${table([result])}\n`)
      results.push(result)
    }
    print(`\n${table([...results, total(results)])}\n\n${costLine(costs)}`)
  } finally {
    await engine.close()
  }
}

function* recordings(): Generator<SeamRecording> {
  const [from = 5, to = from] = flags.minutes.split('-').map(Number)
  const random = randomFrom(Number(flags.seed))
  for (let n = 0; n < Number(flags.recordings); n++) {
    const seed = Math.floor(random() * 1_000_000)
    yield makeRecording(seed, STYLES[n % STYLES.length]!, (from + random() * (to - from)) * 60)
  }
}

async function measure(engines: Engines, recording: SeamRecording): Promise<Result> {
  const { name, pcm16, durationMs, words } = recording
  const track = trackOf(pcm16)
  const plain = (await engines.uncut.hear(pcm16, { language: 'en' })).flatMap((segment) => segment.words)
  const faults = faultsOf(words, plain)
  const seamPauseMs = Number(flags.seamPauseMs)
  const one = flags.blind ? blindly(track, Number(flags.seed)) : inOnePiece(track, seamPauseMs)
  const shards = flags.blind ? one : inShards(track, Number(flags.shardSeconds) * 1000, seamPauseMs)
  return {
    name,
    minutes: durationMs / 60_000,
    words: words.length,
    uncut: errorsOf(words, plain),
    one: await hearAndJudge(engines, recording, one, faults),
    shards: await hearAndJudge(engines, recording, shards, faults),
  }
}

async function hearAndJudge(
  engines: Engines,
  { pcm16, words }: SeamRecording,
  cuts: Cuts,
  uncut: readonly Fault[],
): Promise<Mended> {
  const heard = await hearCuts(engines, pcm16, trackOf(pcm16), cuts, {
    ...(flags.seamMs && { seamMs: Number(flags.seamMs) }),
    ...(flags.brief && { brief: true }),
  })
  return {
    before: judge(words, heard.before, cuts, uncut),
    after: judge(words, heard.after, cuts, uncut),
    windows: cuts.windows.length,
    shards: cuts.shards,
    checked: cuts.seams.length,
    repaired: heard.repaired,
  }
}

await main()
