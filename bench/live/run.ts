import { createClient } from '../../client-cli/client.ts'
import { type Latency, latency, wordFigures } from './figures.ts'
import { playSession } from './play.ts'
import { CHUNK_MS, chunksOf, type LiveRecording } from './recording.ts'
import { type ServiceOptions, withService } from './serve.ts'
import { type Cpu, cpuOf, cpuSince, watchMemory } from './usage.ts'

export interface LiveFigures {
  readonly sessions: number
  /** Until a spoken word is first shown, in a draft or a final. */
  readonly draft: Latency | undefined
  readonly final: Latency | undefined
  readonly said: number
  /** Words wrong, missing or too many in the finals. */
  readonly errors: number
  /** Words that became final as they were said, and those of them with the right name. */
  readonly right: number
  readonly named: number
  readonly cpu: Cpu
  /** All sessions together. */
  readonly audioS: number
  /** Of our own process, each second from before the first chunk on. */
  readonly memoryMb: readonly number[]
}

export interface RunOptions extends ServiceOptions {
  readonly speed: number
}

/**
 * So many sessions at once in a fresh service. They begin evenly over the length of a chunk: meetings don't agree on
 * when to post. What is measured ends before the second hearing, which belongs to the batch lane.
 */
export const runLive = (recording: LiveRecording, options: RunOptions): Promise<LiveFigures> =>
  withService({ ...options, sessions: Math.max(16, options.sessions) }, async (service) => {
    const { sessions, speed } = options
    const pid = service.process.pid!
    const client = createClient({ url: service.url, token: service.token })
    const chunks = chunksOf(recording)
    const before = cpuOf(pid)
    const memory = watchMemory(pid)
    const beginMs = Date.now() + 200
    const seen = await Promise.all(
      Array.from({ length: sessions }, (_, n) =>
        playSession({
          ...{ service, client, sessionId: `bench-${n}`, recording, chunks, speed },
          beginMs: beginMs + (n * CHUNK_MS) / sessions,
          seed: n + 1,
        }),
      ),
    )
    const cpu = cpuSince(pid, before)
    const figures = seen.map((it) => wordFigures(recording, it))
    const sum = (of: (it: (typeof figures)[number]) => number) => figures.reduce((all, it) => all + of(it), 0)
    return {
      ...{ sessions, cpu, audioS: (sessions * recording.durationMs) / 1000, memoryMb: await memory.end() },
      draft: latency(figures.flatMap(({ shownMs }) => shownMs)),
      final: latency(figures.flatMap(({ finalMs }) => finalMs)),
      ...{ said: sum(({ said }) => said), errors: sum(({ errors }) => errors) },
      ...{ right: sum(({ finalMs }) => finalMs.length), named: sum(({ named }) => named) },
    }
  })
