import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { createLog } from '../lib/adapters/log.ts'
import { ensureEngine } from '../lib/adapters/whisper/build.ts'
import { transcriptionForm } from '../lib/adapters/whisper/hear.ts'
import { resolveModel } from '../lib/adapters/whisper/models.ts'
import { createServer, type Server } from '../lib/adapters/whisper/server.ts'
import { samplePath } from '../test/support/reference.ts'
import {
  call,
  cleanUp,
  type RunningService,
  startService,
  tempFolder,
  uploadBytes,
} from '../test/support/service.ts'
import { readWav } from '../test/support/speak.ts'
import { print, row } from './stats.ts'

// What the service costs above the bare engine: `npm run bench:batch`. Both hear the same recording with the same
// model and threads, in turn (A B A B …), so that the machine's moods meet both. The bare engine is one resident
// whisper-server that gets the whole recording decoded, in one request, and detects the language as the service does.

const command = new Command('npm run bench:batch --')
  .option('--model <name>', 'model by name or path', 'mini')
  .option('--threads <n>', 'threads of each engine', '1')
  .option('--rounds <n>', 'pairs of runs', '7')
  .option('--jobs <n>', 'short jobs in a row', '200')
  .option('--file <recording>', 'a recording of 3 minutes or more', samplePath('meeting180'))
  .parse()
const flags = command.opts<{ model: string; threads: string; rounds: string; jobs: string; file: string }>()

async function main(): Promise<void> {
  const folder = await tempFolder()
  const args = ['--model', flags.model, '--threads', flags.threads, '--log', 'error']
  const service = await startService({ data: join(folder, 'data'), args })
  const wav = join(folder, 'decoded.wav')
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', flags.file, '-ar', '16000', '-ac', '1', wav])
  const bare = await bareEngine()
  try {
    await compare(service, bare, readWav(wav).pcm16)
    await shortJobs(service)
  } finally {
    await bare.stop()
    await service.end()
  }
}

async function bareEngine(): Promise<Server> {
  const { serverPath } = await ensureEngine()
  const { path } = await resolveModel(flags.model)
  const log = createLog({ level: 'error' })
  return createServer({ serverPath, modelPath: path, threads: Number(flags.threads), startMs: 600_000, log })
}

async function compare(service: RunningService, bare: Server, pcm16: Int16Array): Promise<void> {
  const recording = readFileSync(flags.file)
  const form = transcriptionForm(pcm16, { language: 'auto' })
  const times = { service: [] as number[], bare: [] as number[], ratio: [] as number[] }
  for (let round = -1; round < Number(flags.rounds); round++) {
    const ours = await seconds(() => transcribe(service, recording))
    const theirs = await seconds(() => bare.ask(form, { timeoutMs: 3_600_000 }))
    // The first pair loads the models.
    if (round < 0) continue
    times.service.push(ours)
    times.bare.push(theirs)
    times.ratio.push(ours / theirs)
  }
  const minutes = pcm16.length / 16_000 / 60
  print(
    `\n${minutes.toFixed(1)} min of audio, model ${flags.model}, ${flags.threads} thread(s), ${flags.rounds} pairs`,
  )
  print(row('upload to COMPLETED, s', times.service))
  print(row('bare engine, s', times.bare))
  print(`${row('ratio, pair by pair (target 1.05 at most)', times.ratio)}`)
  print(`peak memory of our own process: ${memory(service, 'VmHWM')} MB`)
}

async function shortJobs(service: RunningService): Promise<void> {
  const short = readFileSync(samplePath('short'))
  const jobs = Number(flags.jobs)
  const resident: number[] = []
  const took = await seconds(async () => {
    for (let n = 0; n < jobs; n++) {
      await transcribe(service, short)
      if (n % Math.ceil(jobs / 4) === 0 || n === jobs - 1) resident.push(memory(service, 'VmRSS'))
    }
  })
  print(`\n${jobs} jobs of 3.3 s in a row: ${((jobs / took) * 60).toFixed(0)} jobs a minute`)
  print(`memory of our own process, first job to last: ${resident.join(', ')} MB`)
}

/** Until a client that asks every 25 ms sees COMPLETED. */
async function transcribe(service: RunningService, bytes: Uint8Array): Promise<void> {
  const jobId = await uploadBytes(service, bytes)
  for (;;) {
    const { status, error } = (await call(service, 'GET', `/status/${jobId}`)).body
    if (status === 'COMPLETED') return
    if (error) throw new Error(`${status}: ${error.code}`)
    await sleep(25)
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1000
}

/** Of the service's own process, without the engine's; Linux only. */
function memory({ process: { pid } }: RunningService, field: 'VmHWM' | 'VmRSS'): number {
  const kilobytes = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kilobytes) / 1024)
}

await main().finally(cleanUp)
