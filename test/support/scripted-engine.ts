import { type ErrorCode, VerbatimError } from '../../lib/core/errors.ts'
import type { Engine } from '../../lib/core/ports.ts'
import type { HeardSegment } from '../../lib/core/transcript/shape.ts'

/** One call of `hear`. */
export interface Hearing {
  /** Length of the window; tells windows apart. */
  readonly ms: number
  readonly language: string
  readonly prompt?: string
}

/** An answer of `detectLanguage`. */
export interface Detection {
  readonly language: string
  readonly probability: number
}

/** What no log line may hold: it is in everything the scripted engine hears. */
export const SPOKEN = 'Xyzzy'

/**
 * An engine that says what it is told to. Every window sounds like one segment, as long as the window, with the words
 * "Xyzzy <length> <language>".
 */
export function createScriptedEngine({ width = 1, model = 'scripted' } = {}) {
  const heard: Hearing[] = []
  const detected: number[] = []
  const languages: Detection[] = []
  const failures: Array<Error | undefined> = []
  const waiting = new Set<() => void>()
  const watchers = new Set<() => void>()
  let blocked = false

  async function gate(signal: AbortSignal | undefined): Promise<void> {
    if (!blocked) return
    await new Promise<void>((resolve, reject) => {
      const settle = (done: () => void) => () => {
        waiting.delete(go)
        signal?.removeEventListener('abort', stop)
        done()
      }
      const go = settle(resolve)
      const stop = settle(() => reject(cancelled()))
      waiting.add(go)
      signal?.addEventListener('abort', stop, { once: true })
      for (const watcher of watchers) watcher()
    })
  }

  return {
    ...{ width, info: { name: 'scripted', version: '1', model } },
    /** The calls so far, in the order in which they began. */
    heard: heard as readonly Hearing[],
    /** Length of the sound of each call of `detectLanguage`. */
    detected: detected as readonly number[],
    /** `times` calls of `hear` end with this, after `after` that go well. */
    fail(error: ErrorCode | Error, { times = 1, after = 0 } = {}): void {
      const thrown = typeof error === 'string' ? new VerbatimError(error, 'The script says so.') : error
      failures.push(...Array<undefined>(after).fill(undefined), ...Array<Error>(times).fill(thrown))
    },
    /** What the next calls of `detectLanguage` answer; those after that hear German. */
    speak: (...detections: Detection[]) => void languages.push(...detections),
    /** From now on calls wait for `release`, or for their signal. */
    block(): void {
      blocked = true
    },
    /** Lets so many waiting calls go on; without a number all of them, and those to come. */
    release(count?: number): void {
      if (count === undefined) blocked = false
      for (const go of [...waiting].slice(0, count)) go()
    },
    /** Until so many calls are waiting at the same time. */
    whenWaiting: (count: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (waiting.size < count) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),

    async hear(pcm16, { language, prompt, signal }) {
      if (signal?.aborted) throw cancelled()
      const ms = Math.round(pcm16.length / 16)
      heard.push({ ms, language, ...(prompt !== undefined && { prompt }) })
      await gate(signal)
      const failure = failures.shift()
      if (failure) throw failure
      return [segmentOf(ms, language)]
    },
    async detectLanguage(pcm16) {
      detected.push(Math.round(pcm16.length / 16))
      return languages.shift() ?? { language: 'de', probability: 0.75 }
    },
  } satisfies Engine & Record<string, unknown>
}

export type ScriptedEngine = ReturnType<typeof createScriptedEngine>

const cancelled = () => new VerbatimError('cancelled', 'The script was stopped.')

function segmentOf(ms: number, language: string): HeardSegment {
  const texts = [SPOKEN, String(ms), language]
  const each = Math.floor(ms / texts.length)
  const words = texts.map((text, i) => ({ text, startMs: i * each, endMs: (i + 1) * each, probability: 0.9 }))
  return {
    ...{ startMs: 0, endMs: ms, text: texts.join(' '), words },
    ...{ avgLogprob: -0.1, noSpeechProb: 0.01, compressionRatio: 1 },
  }
}
