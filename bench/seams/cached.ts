import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine, HearOptions } from '../../lib/core/ports.ts'
import type { HeardSegment } from '../../lib/core/transcript/shape.ts'

export interface Cost {
  requests: number
  /** Wall time of the engine. */
  ms: number
}

interface Saved {
  readonly segments: HeardSegment[]
  readonly ms: number
}

/**
 * The engine with a memory, and what its requests cost: windows are heard alike, however they are grouped. Where a folder
 * is named, the memory outlives the process.
 */
export function cached(engine: Engine, cost: Cost, folder?: string): Engine {
  const memory = new Map<string, Promise<Saved>>()
  if (folder) mkdirSync(folder, { recursive: true })
  return { ...engine, hear }

  async function hear(pcm16: Int16Array, options: HearOptions): Promise<HeardSegment[]> {
    const key = keyOf(engine, pcm16, options)
    const known = memory.get(key) ?? recall(key, pcm16, options)
    memory.set(key, known)
    const { segments, ms } = await known
    cost.requests++
    cost.ms += ms
    return segments
  }

  async function recall(key: string, pcm16: Int16Array, options: HearOptions): Promise<Saved> {
    const path = folder && join(folder, `${key}.json`)
    const saved = (path && read(path)) || (await ask(pcm16, options))
    if (path) writeFileSync(path, JSON.stringify(saved))
    return saved
  }

  async function ask(pcm16: Int16Array, options: HearOptions): Promise<Saved> {
    const begin = performance.now()
    const segments = await engine.hear(pcm16, options)
    return { segments, ms: performance.now() - begin }
  }
}

function keyOf({ info }: Engine, pcm16: Int16Array, { language, prompt = '', brief = false }: HearOptions) {
  const bytes = new Uint8Array(pcm16.buffer, pcm16.byteOffset, pcm16.byteLength)
  const told = JSON.stringify([info, language, prompt, brief])
  return createHash('sha256').update(told).update(bytes).digest('hex').slice(0, 32)
}

function read(path: string): Saved | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Saved
  } catch {
    return undefined
  }
}
