import { createLog } from '../../lib/adapters/log.ts'
import { ensureEngine } from '../../lib/adapters/whisper/build.ts'
import { transcriptionForm } from '../../lib/adapters/whisper/hear.ts'
import { resolveModel } from '../../lib/adapters/whisper/models.ts'
import { heardSegments } from '../../lib/adapters/whisper/protocol.ts'
import { createServer } from '../../lib/adapters/whisper/server.ts'
import { wordErrors } from '../../test/support/wer.ts'
import { folded, matchWords } from './align.ts'
import { type Latency, latency } from './figures.ts'
import { CHUNK_MS, type LiveRecording } from './recording.ts'
import { cpuSecondsOf } from './usage.ts'

export interface PlainFigures {
  readonly final: Latency | undefined
  readonly errors: number
  readonly said: number
  /** CPU seconds. */
  readonly engineS: number
}

interface Place {
  readonly model: string
  readonly threads: number
}

/**
 * What a loop of ten lines does: each chunk of 3 s is transcribed alone when it is there, the language known, no
 * context. The engine works at its own pace, and the clock is reckoned: a chunk waits for its time and for the one
 * before. It gets the sound undamaged and for nothing, where the service decodes a stream.
 */
export async function plainLoop(recording: LiveRecording, { model, threads }: Place): Promise<PlainFigures> {
  const { serverPath } = await ensureEngine()
  const { path } = await resolveModel(model)
  const log = createLog({ level: 'error' })
  const server = createServer({ serverPath, modelPath: path, threads, startMs: 600_000, log })
  try {
    await server.start()
    const hear = async (pcm16: Int16Array) => {
      const reply = await server.ask(transcriptionForm(pcm16, { language: 'en' }), { timeoutMs: 600_000 })
      return heardSegments(reply, CHUNK_MS, 'en').flatMap(({ words }) => words)
    }
    // The first request of a process is slower than all others.
    await hear(recording.pcm16.subarray(0, CHUNK_MS * 16))
    const before = cpuSecondsOf(server.pid()!)
    const heard = await hearAll(recording, hear)
    const engineS = cpuSecondsOf(server.pid()!) - before
    const said = folded(recording.sentences.flatMap(({ words }) => words))
    const words = folded(heard)
    const matches = matchWords(said, words)
    const delays = said.map(({ endMs }, i) => (words[matches[i]!]?.atMs ?? Number.NaN) - endMs)
    const { errors } = wordErrors(recording.text, heard.map(({ text }) => text).join(' '))
    return { final: latency(delays.filter(Number.isFinite)), errors, said: said.length, engineS }
  } finally {
    await server.stop()
  }
}

async function hearAll<T extends { readonly startMs: number; readonly endMs: number }>(
  { pcm16, durationMs }: LiveRecording,
  hear: (pcm16: Int16Array) => Promise<readonly T[]>,
): Promise<Array<T & { atMs: number }>> {
  const heard: Array<T & { atMs: number }> = []
  let freeMs = 0
  for (let startMs = 0; startMs < durationMs; startMs += CHUNK_MS) {
    const begin = performance.now()
    const words = await hear(pcm16.subarray(startMs * 16, (startMs + CHUNK_MS) * 16))
    freeMs = Math.max(freeMs, startMs + CHUNK_MS) + performance.now() - begin
    heard.push(
      ...words.map((word) => ({
        ...{ ...word, startMs: word.startMs + startMs, endMs: word.endMs + startMs },
        atMs: freeMs,
      })),
    )
  }
  return heard
}
