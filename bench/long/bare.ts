import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createLog } from '../../lib/adapters/log.ts'
import { ensureEngine } from '../../lib/adapters/whisper/build.ts'
import { transcriptionForm } from '../../lib/adapters/whisper/hear.ts'
import { resolveModel } from '../../lib/adapters/whisper/models.ts'
import { heardSegments } from '../../lib/adapters/whisper/protocol.ts'
import { createServer } from '../../lib/adapters/whisper/server.ts'
import type { Timed } from '../live/align.ts'
import type { LongRecording } from './recording.ts'

export interface BareFigures {
  /** Of the slowest. */
  readonly seconds: number
  readonly words: readonly Timed[]
}

const DAY = 24 * 3_600_000

/**
 * The engine and nothing else: so many whisper-servers of one thread, each asked once, for its part of the decoded
 * recording. With one it is the time that everything is measured by; with more it shows what the machine can do.
 */
export async function bareEngines(
  recording: LongRecording,
  { model, count }: { model: string; count: number },
): Promise<BareFigures> {
  const pcm16 = await decoded(recording.path)
  const { serverPath } = await ensureEngine()
  const { path: modelPath } = await resolveModel(model)
  const options = { serverPath, modelPath, threads: 1, startMs: 600_000, log: createLog({ level: 'error' }) }
  const servers = Array.from({ length: count }, () => createServer(options))
  const length = Math.ceil(pcm16.length / count)
  const parts = servers.map((_, n) => pcm16.subarray(n * length, (n + 1) * length))
  try {
    const ask = async (n: number, part: Int16Array) =>
      servers[n]!.ask(transcriptionForm(part, { language: 'auto' }), { timeoutMs: DAY })
    // The first request of a process is slower than all others.
    await Promise.all(parts.map((part, n) => ask(n, part.subarray(0, 16_000 * 3))))
    const begin = performance.now()
    const replies = await Promise.all(parts.map((part, n) => ask(n, part)))
    const seconds = (performance.now() - begin) / 1000
    const words = replies.flatMap((reply, n) => wordsOf(reply, parts[n]!.length / 16, (n * length) / 16))
    return { seconds, words }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

const wordsOf = (reply: string, durationMs: number, fromMs: number): Timed[] =>
  heardSegments(reply, durationMs, 'en').flatMap(({ words }) =>
    words.map(({ text, startMs, endMs }) => ({ text, startMs: startMs + fromMs, endMs: endMs + fromMs })),
  )

async function decoded(path: string): Promise<Int16Array> {
  const args = ['-v', 'error', '-i', path, '-f', 's16le', '-ar', '16000', '-ac', '1', 'pipe:1']
  const options = { encoding: 'buffer', maxBuffer: 2 ** 31 } as const
  const { stdout } = await promisify(execFile)('ffmpeg', args, options)
  return new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength))
}
