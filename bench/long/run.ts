import { join } from 'node:path'
import type { Usage } from '../../lib/core/job.ts'
import { Transcript } from '../../lib/core/transcript/shape.ts'
import { samplePath } from '../../test/support/reference.ts'
import {
  call,
  download,
  ended,
  type RunningService,
  startService,
  tempFolder,
  until,
  uploadFile,
} from '../../test/support/service.ts'
import type { Timed } from '../live/align.ts'
import { type Cpu, cpuOf, cpuSince } from '../live/usage.ts'
import { memoryMb, watchDecoder } from './memory.ts'
import type { LongRecording } from './recording.ts'

export interface RunOptions {
  readonly model: string
  /** Engines of one thread each. */
  readonly workers: number
  readonly shardMinutes: number
  readonly env?: Readonly<Record<string, string>>
}

export interface RunFigures {
  readonly workers: number
  /** From the request for an upload to COMPLETED. */
  readonly wallMs: number
  readonly phases: Phases
  readonly usage: Usage
  readonly shards: ReadonlyArray<{ audioMs: number; workMs: number }>
  readonly words: readonly Timed[]
  readonly cpu: Cpu
  readonly memory: { readonly restMb: number; readonly peakMb: number; readonly decoderMb: number }
}

/** What comes one after the other, ms. */
export interface Phases {
  /** Until a worker has the job. */
  readonly uploadMs: number
  readonly planMs: number
  /** The engine's. */
  readonly languageMs: number
  /** Sounds stored, messages sent; 0 for a recording in one piece. */
  readonly storeMs: number
  readonly hearMs: number
  /** From the last shard's end; 0 for a recording in one piece. */
  readonly stitchMs: number
}

const DAY = 24 * 3_600_000

/** One recording through a service of its own that has done a first short job. */
export async function runLong(recording: LongRecording, options: RunOptions): Promise<RunFigures> {
  const { model, workers, shardMinutes, env = {} } = options
  const args = ['--model', model, '--engines', `${workers}`, '--shard-minutes', `${shardMinutes}`]
  const service = await startService({ data: join(await tempFolder(), 'data'), args, env })
  try {
    const warm = await ended(service, await uploadFile(service, samplePath('short')), DAY)
    if (warm.status !== 'COMPLETED') throw new Error('the service does not work')
    return { workers, ...(await hear(service, recording)) }
  } finally {
    await service.end()
  }
}

async function hear(service: RunningService, recording: LongRecording): Promise<Omit<RunFigures, 'workers'>> {
  const pid = service.process.pid!
  const restMb = memoryMb(pid, 'VmRSS') ?? 0
  const logged = service.log().length
  const cpuBefore = cpuOf(pid)
  const decoder = watchDecoder(pid)
  const begin = Date.now()
  const jobId = await uploadFile(service, recording.path)
  // By the log and not by asking: a client that asks often takes time from what is measured.
  const lines = await until(async () => endedLines(service.log().slice(logged)), DAY)
  const cpu = cpuSince(pid, cpuBefore)
  const memory = { restMb, peakMb: memoryMb(pid, 'VmHWM') ?? 0, decoderMb: await decoder.end() }
  const { body } = await call(service, 'GET', `/status/${jobId}`)
  if (body.status !== 'COMPLETED') throw new Error(`the job is ${body.status}`)
  const { segments } = Transcript.parse(JSON.parse(await download(body, 'json')))
  const { phases, endMs } = phasesOf(begin, lines)
  return {
    ...{ wallMs: endMs - begin, phases, cpu, memory, usage: body.usage },
    words: segments.flatMap(({ words }) => words),
    shards: lines
      .filter(({ event }) => event === 'shard heard')
      .map(({ audioMs, ms }) => ({ audioMs: audioMs!, workMs: ms! })),
  }
}

interface Line {
  readonly event: string
  readonly time: string
  readonly audioMs?: number
  readonly ms?: number
}

/** The log of a job that has ended. */
function endedLines(log: string): Line[] | undefined {
  if (!/"event":"job (transcribed|failed)"/.test(log)) return undefined
  const whole = log.slice(0, log.lastIndexOf('\n') + 1).split('\n')
  const lines = whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line)
  return lines.some(({ event }) => event.startsWith('job transcribed')) ? lines : failed(lines)
}

function failed(lines: readonly Line[]): undefined {
  if (lines.some(({ event }) => event === 'job failed')) throw new Error('the job has failed')
}

function phasesOf(begin: number, lines: readonly Line[]): { phases: Phases; endMs: number } {
  const at = (name: string, otherwise: number) =>
    lines.filter(({ event }) => event === name).reduce((_, { time }) => Date.parse(time), otherwise)
  const taken = at('job taken', begin)
  const planned = at('recording planned', taken)
  const decided = at('language decided', planned)
  const sent = at('shards sent', decided)
  const endMs = at('job transcribed', sent)
  const heard = at('shard heard', endMs)
  const phases = {
    ...{ uploadMs: taken - begin, planMs: planned - taken, languageMs: decided - planned },
    ...{ storeMs: sent - decided, hearMs: heard - sent, stitchMs: endMs - heard },
  }
  return { phases, endMs }
}
