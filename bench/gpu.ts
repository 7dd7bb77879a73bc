import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { createLog } from '../lib/adapters/log.ts'
import { ensureEngine } from '../lib/adapters/whisper/build.ts'
import { transcriptionForm } from '../lib/adapters/whisper/hear.ts'
import { resolveModel } from '../lib/adapters/whisper/models.ts'
import { createServer, type Server } from '../lib/adapters/whisper/server.ts'
import { toVerbatimError } from '../lib/core/errors.ts'
import { samplePath } from '../test/support/reference.ts'
import { readWav } from '../test/support/wav.ts'
import { randomModel } from './random-model.ts'
import { print, spread } from './stats.ts'

// What a machine makes of the engine, above all one with a GPU: how long the model loads, how many times as fast as
// the sound it hears with 1, 2, 4 and 8 processes side by side, and what memory they take. docs/containers.md says how
// to run it. The processes are started and asked as the worker does it.

const command = new Command('node bench/gpu.ts')
  .option('--server <path>', 'whisper-server to measure; left out, the one that is built for this machine')
  .option('--model <name>', 'name or path; random:<shape> for random weights', 'large-v3')
  .option('--processes <list>', 'how many side by side', '1,2,4,8')
  .option('--threads <n>', 'threads of each process', '4')
  .option('--seconds <n>', 'sound that each process hears in a round', '120')
  .option('--rounds <n>', 'rounds, after one that does not count', '3')
  .parse()
const flags = command.opts<Record<'model' | 'processes' | 'threads' | 'seconds' | 'rounds', string>>()
const { server: given } = command.opts<{ server?: string }>()

const SAMPLES_PER_S = 16_000
const WINDOW_S = 30

interface Model {
  readonly path: string
  readonly random: boolean
}

/** Where the model is not on this machine: one of its shape. */
async function findModel(name: string): Promise<Model> {
  if (name.startsWith('random:')) return { path: await randomModel(name.slice(7)), random: true }
  try {
    return { path: (await resolveModel(name)).path, random: false }
  } catch (error) {
    if (toVerbatimError(error).code !== 'model-missing') throw error
    return { path: await randomModel(name), random: true }
  }
}

/** The sample over and over. */
function sound(seconds: number): Int16Array {
  const { pcm16 } = readWav(samplePath('meeting60'))
  return Int16Array.from({ length: seconds * SAMPLES_PER_S }, (_, i) => pcm16[i % pcm16.length]!)
}

/**
 * Random weights know no end of a sentence: the decoder says as much as fits into each window, hence without the hearings
 * again at other temperatures, and without the timestamps by which it would find its way.
 */
function formOf(pcm16: Int16Array, random: boolean) {
  const form = transcriptionForm(pcm16, { language: 'en' })
  if (!random) return form
  return { ...form, fields: { ...form.fields, temperature_inc: '0', no_timestamps: 'true' } }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1000
}

/** Name and used memory (MB) of the first GPU, where there is one. */
function gpu(): { name: string; usedMb: number } | undefined {
  try {
    const asked = ['--query-gpu=name,memory.used', '--format=csv,noheader,nounits', '--id=0']
    const [name = '', used] = execFileSync('nvidia-smi', asked, { encoding: 'utf8', stdio: 'pipe' }).split(
      ', ',
    )
    return { name, usedMb: Number(used) }
  } catch {
    return undefined
  }
}

/** Linux only. */
function residentMb(servers: readonly Server[]): number {
  const kilobytes = servers.map((server) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid()}/status`, 'utf8'))?.[1]),
  )
  return kilobytes.reduce((sum, it) => sum + it, 0) / 1024
}

async function measure(count: number, serverPath: string, model: Model): Promise<string> {
  const options = { serverPath, modelPath: model.path, threads: Number(flags.threads), startMs: 600_000 }
  const servers = Array.from({ length: count }, () =>
    createServer({ ...options, log: createLog({ level: 'error' }) }),
  )
  const before = gpu()?.usedMb
  try {
    const loading = await seconds(() => Promise.all(servers.map((server) => server.start())))
    const window = formOf(sound(WINDOW_S), model.random)
    const form = formOf(sound(Number(flags.seconds)), model.random)
    const ask = (what: typeof form) =>
      seconds(() => Promise.all(servers.map((server) => server.ask(what, { timeoutMs: 3_600_000 }))))
    await ask(window)
    const windows: number[] = []
    const rounds: number[] = []
    for (let round = 0; round < Number(flags.rounds); round++) {
      windows.push(await ask(window))
      rounds.push(await ask(form))
    }
    const speed = (count * Number(flags.seconds)) / spread(rounds).median
    const gpuMb = before === undefined ? undefined : gpu()!.usedMb - before
    return line(count, loading, spread(windows).median, speed, 1 / speed, gpuMb, residentMb(servers))
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

const TITLES = ['processes', 'loading, s', '30 s, s', 'speed, x', 'real-time factor', 'GPU, MB', 'memory, MB']

function line(...values: Array<number | undefined>): string {
  const digits = [0, 1, 2, 1, 4, 0, 0]
  return values.map((it, i) => (it?.toFixed(digits[i]!) ?? '-').padStart(TITLES[i]!.length)).join('  ')
}

const model = await findModel(flags.model)
const serverPath = given ?? (await ensureEngine({ onProgress: print })).serverPath
print(`${gpu()?.name ?? 'no GPU'}, model ${flags.model}${model.random ? ', random weights' : ''}`)
if (model.random)
  print('With random weights, load times and memory are those of the model, speeds are a lower bound.')
print(TITLES.join('  '))
for (const count of flags.processes.split(',')) print(await measure(Number(count), serverPath, model))
