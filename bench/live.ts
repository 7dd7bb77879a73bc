import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { Command } from 'commander'
import { cleanUp } from '../test/support/service.ts'
import { batchOnce } from './live/batch.ts'
import { plainLoop } from './live/plain.ts'
import { meeting } from './live/recording.ts'
import { memoryLines, type Report, table } from './live/report.ts'
import { type LiveFigures, runLive } from './live/run.ts'

// How soon captions come, how right they are and what they cost: `npm run bench:live`. Clients post a meeting as
// browsers do (WebM in chunks of 3 s, by the clock) and follow the captions; each word's delay is from its end in the
// recording to the moment its reader has it. Beside it: the same recording through the batch lane, which decodes it
// once, and through a plain loop that transcribes each chunk alone. `--minutes-memory 30` adds a long run.

const command = new Command('npm run bench:live --')
  .option('--sessions <list>', 'sessions at once, a run for each number', '1,4,16')
  .option('--seconds <n>', 'how long people speak; over 180 the meeting is repeated', '180')
  .option('--model <name>', 'model by name or path', 'mini')
  .option('--threads <n>', 'threads of the one engine', '1')
  .option('--minutes-memory <n>', 'a long run that looks at memory only; 0: none', '0')
  .option('--memory-sessions <n>', 'sessions of the long run', '4')
  .option('--speed <n>', 'times as fast as the clock, in the long run only', '1')
  .option('--json', 'the figures as JSON on stdout, the table on stderr')
  .option('--out <file>', 'write the figures there, as JSON')
  .parse()
const flags = command.opts<
  Record<
    'sessions' | 'seconds' | 'model' | 'threads' | 'minutesMemory' | 'memorySessions' | 'speed',
    string
  > & { json?: true; out?: string }
>()

const tell = (text: string): void => void process.stderr.write(`${text}\n`)
const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function main(): Promise<void> {
  const engine = { model: flags.model, threads: Number(flags.threads) }
  const recording = meeting(Number(flags.seconds))
  const seconds = recording.durationMs / 1000
  const machine = { cores: availableParallelism(), loadBefore: loadavg()[0]! }

  tell('the batch lane, once')
  const batch = await batchOnce(recording, { ...engine, sessions: 1 })
  tell('the plain loop')
  const plain = await plainLoop(recording, engine)
  const live: LiveFigures[] = []
  for (const sessions of flags.sessions.split(',').map(Number)) {
    tell(`${sessions} live, ${Math.round(seconds)} s`)
    live.push(await runLive(recording, { ...engine, sessions, speed: 1 }))
  }
  const memory = await longRun(engine)
  report({ seconds, batch, plain, live, ...(memory && { memory }) }, machine)
}

async function longRun(engine: { model: string; threads: number }): Promise<LiveFigures | undefined> {
  const minutes = Number(flags.minutesMemory)
  if (minutes === 0) return undefined
  const [sessions, speed] = [Number(flags.memorySessions), Number(flags.speed)]
  tell(`${sessions} live for memory, ${(minutes / speed).toFixed(1)} min`)
  return await runLive(meeting(minutes * 60), { ...engine, sessions, speed })
}

function report(figures: Report, machine: { cores: number; loadBefore: number }): void {
  const { cores, loadBefore } = machine
  const show = flags.json ? tell : say
  show(`\n${figures.seconds} s of audio a session, model ${flags.model}, ${flags.threads} engine thread(s),`)
  show(`${cores} cores, load before ${loadBefore.toFixed(2)}; * misses the target\n`)
  show(table(figures))
  if (figures.memory) show(`\n${memoryLines(figures.memory)}`)
  const json = JSON.stringify({ machine, ...figures }, null, 2)
  if (flags.json) say(json)
  if (flags.out) writeFileSync(flags.out, `${json}\n`)
}

const interrupted = new Promise<'interrupted'>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve('interrupted'))
})
// Whatever fails after an interrupt fails because of it. Killed services take their engines with them.
const outcome = await Promise.race([main(), interrupted]).finally(cleanUp)
if (outcome) process.exit(130)
