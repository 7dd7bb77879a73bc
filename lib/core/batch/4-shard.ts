import * as z from 'zod'
import { digestOf } from '../digest.ts'
import { type JobRef, workKey } from '../keys.ts'
import type { Engine, ObjectStore } from '../ports.ts'
import { type HeardSegment, Word } from '../transcript/shape.ts'
import type { Plan, PlannedWindow } from './3-plan.ts'
import { hearWhole } from './hear-whole.ts'

export interface HearPorts {
  readonly engine: Engine
  readonly objects: ObjectStore
}

export interface SpokenLanguage {
  readonly code: string
  readonly detected: boolean
  /** Only where it was detected. */
  readonly probability?: number
}

export interface HeardWindow extends PlannedWindow {
  readonly segments: readonly HeardSegment[]
}

/** What is kept of a window, so that an attempt after a crash does not hear it again. */
const SavedWindow = z.object({
  /** Engine, model, language and prompt it was heard with: others would have given other words. */
  heardWith: z.string(),
  segments: z.array(
    z.object({
      startMs: z.int(),
      endMs: z.int(),
      text: z.string(),
      words: z.array(Word),
      avgLogprob: z.number(),
      noSpeechProb: z.number(),
      compressionRatio: z.number(),
    }),
  ),
})

/** The language to hear in: what the client said, else detected once and then pinned for every window. */
export async function decideLanguage(
  { engine }: Pick<HearPorts, 'engine'>,
  { recording, voiced }: Plan,
  asked: string | undefined,
  signal: AbortSignal,
): Promise<SpokenLanguage | null> {
  if (asked !== undefined) return { code: asked, detected: false }
  if (!voiced) return null
  const pcm16 = await recording.read(voiced.channel, voiced.startMs, voiced.endMs)
  const { language, probability } = await engine.detectLanguage(pcm16, { signal })
  return { code: language, detected: true, probability }
}

/**
 * Hears every window, as many at a time as the engine is wide, and saves each result. `onHeard` gets the share
 * of the windows' time that is done, 0..1. The first error stops the rest.
 */
export async function hearWindows(
  ports: HearPorts,
  ref: JobRef,
  plan: Plan,
  options: { language: string; prompt?: string; signal: AbortSignal; onHeard: (share: number) => void },
): Promise<HeardWindow[]> {
  const { windows } = plan
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const heardWith = await digestOf([ports.engine.info, options.language, options.prompt ?? ''])
  const totalMs = windows.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
  const heard: HeardWindow[] = new Array(windows.length)
  let heardMs = 0
  let next = 0

  async function lane(): Promise<void> {
    for (let index = next++; index < windows.length; index = next++) {
      const window = windows[index]!
      heard[index] = { ...window, segments: await hearWindow(window) }
      heardMs += window.endMs - window.startMs
      options.onHeard(heardMs / totalMs)
    }
  }

  async function hearWindow(window: PlannedWindow): Promise<readonly HeardSegment[]> {
    signal.throwIfAborted()
    const key = workKey(ref, `${window.channel}-${window.startMs}-${window.endMs}.json`)
    const saved = await readSaved(ports.objects, key, heardWith)
    if (saved) return saved
    const segments = await hearWhole(ports.engine, plan, window, { ...options, signal })
    await ports.objects.put(key, JSON.stringify({ heardWith, segments }), 'application/json')
    return segments
  }

  const lanes = Array.from({ length: Math.min(ports.engine.width, windows.length) }, () =>
    lane().catch((error: unknown) => {
      stop.abort(error)
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(lanes)
  if (outcomes.some(({ status }) => status === 'rejected')) throw signal.reason
  return heard
}

async function readSaved(objects: ObjectStore, key: string, heardWith: string) {
  const bytes = await objects.get(key)
  if (!bytes) return undefined
  const saved = SavedWindow.safeParse(parseJson(bytes))
  return saved.success && saved.data.heardWith === heardWith ? saved.data.segments : undefined
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
