import { toVerbatimError, VerbatimError } from '../../core/errors.ts'
import { languageCode } from '../../core/languages.ts'
import type { Engine, HearOptions, Log } from '../../core/ports.ts'
import { readModelHeader } from './header.ts'
import { detectionForm, TIME_LIMITS, type TimeLimits, timeLimitMs, transcriptionForm } from './hear.ts'
import type { Form } from './post.ts'
import { heardSegments, likeliestLanguage } from './protocol.ts'
import { createQueue } from './queue.ts'
import { createServer } from './server.ts'
import { lengthMs } from './wav.ts'

export interface EngineOptions {
  /** whisper-server, and whisper.cpp's version (build.ts). */
  readonly serverPath: string
  readonly version: string
  readonly modelPath: string
  readonly modelName: string
  /** Per process; no more than there are cores for all of them. */
  readonly threads: number
  /** Each holds the model in memory once. */
  readonly processes: number
  readonly log: Log
  readonly limits?: Partial<TimeLimits>
}

/** whisper.cpp behind the Engine port. */
export interface WhisperEngine extends Engine {
  /** The same engine for those who can't wait: what it is asked goes before all else (queue.ts). */
  readonly urgent: Engine
  /** Starts every process now and not with the first requests. Fails as a request would. */
  start(): Promise<void>
  /** Process ids of the servers that run. */
  pids(): number[]
  /** Ends the processes; requests that wait or run fail with `engine-crashed`. */
  close(): Promise<void>
}

/** A pool of whisper-servers with one queue. A process is started when it is needed. */
export function createEngine(options: EngineOptions): WhisperEngine {
  const limits = { ...TIME_LIMITS, ...options.limits }
  const servers = Array.from({ length: options.processes }, () =>
    createServer({ ...options, startMs: limits.startMs }),
  )
  const queue = createQueue(servers, (server) => server.pid() !== undefined)

  /**
   * Asks whichever process is free; once more when the process died over it. The place in the queue is taken
   * before anything is waited for, and the form made only when it is its turn.
   */
  async function ask(
    form: () => Form | Promise<Form>,
    pcm16: Int16Array,
    signal: AbortSignal | undefined,
    urgent: boolean,
    onServed?: (ms: number) => void,
  ): Promise<string> {
    const server = await queue.take(signal, urgent)
    const begin = performance.now()
    try {
      const made = await form()
      const asked = { timeoutMs: timeLimitMs(pcm16, limits), signal }
      return await server.ask(made, asked).catch((error: unknown) => {
        if (toVerbatimError(error).code !== 'engine-crashed') throw error
        return server.ask(made, asked)
      })
    } finally {
      onServed?.(performance.now() - begin)
      queue.giveBack(server)
    }
  }

  const engine = (urgent: boolean): Engine => ({
    info: { name: 'whisper.cpp', version: options.version, model: options.modelName },
    width: options.processes,

    async hear(pcm16: Int16Array, { language, prompt, brief, signal, onServed }: HearOptions) {
      checkLanguage(language)
      if (pcm16.length === 0) return []
      const form = async () => {
        const { languages } = await readModelHeader(options.modelPath)
        // Models older than large-v3 have no token for Cantonese, and would take the next one for it.
        const known = language === 'yue' && languages < 100 ? 'zh' : language
        return transcriptionForm(pcm16, { language: known, prompt, brief })
      }
      return heardSegments(await ask(form, pcm16, signal, urgent, onServed), lengthMs(pcm16), language)
    },

    async detectLanguage(pcm16: Int16Array, { signal } = {}) {
      const { multilingual } = await readModelHeader(options.modelPath)
      if (!multilingual) return { language: 'en', probability: 1 }
      return likeliestLanguage(await ask(() => detectionForm(pcm16), pcm16, signal, urgent))
    },
  })

  return {
    ...engine(false),
    urgent: engine(true),
    async start() {
      await Promise.all(servers.map((server) => server.start()))
    },
    pids: () => servers.map((server) => server.pid()).filter((pid) => pid !== undefined),
    async close() {
      queue.close()
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

/** The server would answer an unknown language with 200 and English. */
function checkLanguage(language: string): void {
  if (languageCode(language) !== language) {
    throw new VerbatimError('unknown-language', 'The engine knows no such language.')
  }
}
