import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'

/** What decides how many engine processes run, and with how many threads each. */
export interface EngineQuestion {
  /** `auto`: as many as cores and memory allow. */
  readonly engines: number | 'auto'
  /** Of each; left out: the cores, shared out. */
  readonly threads?: number | undefined
  readonly modelBytes: number
  readonly cores: number
  /** Memory that could be had now. */
  readonly availableBytes: number
}

export interface EngineCount {
  readonly engines: number
  readonly threads: number
  /** There only when memory is the reason for so few: how many the cores would be enough for. */
  readonly coresFor?: number
  /** Not even one fits, by the rule; it is started all the same. */
  readonly tight?: true
}

/** Beyond this whisper.cpp gains little from another thread; a second process gains all of it. */
const THREADS = 4
/** For the rest: this process, decoders, the file cache, and whatever else runs. */
const MEMORY_SHARE = 0.7
/**
 * An engine's memory: the weights once, and buffers that depend on the model's width and not on its file's size.
 * Measured (whisper.cpp 1.9.1, windows of 28 s, beam 5): mini 77 MiB above its file, tiny 102, large-v3-turbo 256. By
 * whisper.cpp's README large-v3 takes about 900 above its 3.1 GB; quantized, its file is a third and the buffers are the
 * same. This rule is below none of them.
 */
const WEIGHTS = 1.3
const BUFFER_BYTES = 600 * 1024 ** 2

export const engineBytes = (modelBytes: number): number => modelBytes * WEIGHTS + BUFFER_BYTES

export function countEngines({
  engines: asked,
  threads,
  modelBytes,
  cores,
  availableBytes,
}: EngineQuestion): EngineCount {
  const share = (engines: number) => threads ?? Math.max(1, Math.floor(cores / engines))
  if (asked !== 'auto') return { engines: asked, threads: share(asked) }
  const coresFor = Math.max(1, Math.floor(cores / (threads ?? THREADS)))
  const fits = Math.floor((availableBytes * MEMORY_SHARE) / engineBytes(modelBytes))
  const engines = Math.max(1, Math.min(coresFor, fits))
  return {
    ...{ engines, threads: share(engines) },
    ...(engines < coresFor && { coresFor }),
    ...(fits < 1 && { tight: true }),
  }
}

/** The same for this machine, or the container that this process is in. */
export async function enginesHere(
  modelPath: string,
  asked: Pick<EngineQuestion, 'engines' | 'threads'>,
): Promise<EngineCount> {
  const { size: modelBytes } = await stat(modelPath)
  const machine = { cores: availableParallelism(), availableBytes: process.availableMemory() }
  return countEngines({ ...asked, ...machine, modelBytes })
}

/** For people: `2 engines of 4 threads`, and why there are not more. */
export function tellEngines({ engines, threads, coresFor }: EngineCount): string {
  const what = `${engines} ${engines === 1 ? 'engine' : 'engines'} of ${threads} ${threads === 1 ? 'thread' : 'threads'}`
  return coresFor === undefined ? what : `${what} (memory holds no more; the cores would do for ${coresFor})`
}
