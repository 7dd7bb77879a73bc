import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensureEngine } from '../../../lib/adapters/whisper/build.ts'
import { isAlive } from '../../../lib/adapters/whisper/lock.ts'
import { resolveModel } from '../../../lib/adapters/whisper/models.ts'
import { createEngine, type EngineOptions } from '../../../lib/adapters/whisper/pool.ts'
import type { Log } from '../../../lib/core/ports.ts'
import type { HeardSegment } from '../../../lib/core/transcript/shape.ts'

const SAMPLES = new URL('../../../models/mini/samples/', import.meta.url)

/** Samples of a plain 16 kHz mono 16-bit WAV file. */
export function readWav(path: string): Int16Array {
  const file = readFileSync(path)
  const data = file.indexOf('data', 12, 'latin1')
  const bytes = Uint8Array.from(file.subarray(data + 8, data + 8 + file.readUInt32LE(data + 4)))
  return new Int16Array(bytes.buffer)
}

export const sample = (name: string): Int16Array => readWav(fileURLToPath(new URL(name, SAMPLES)))

/** "Der Kunde wartet auf eine Antwort.", spoken by espeak-ng. */
export const german = (): Int16Array =>
  readWav(fileURLToPath(new URL('fixtures/german.wav', import.meta.url)))

export interface Reference {
  readonly sentences: ReadonlyArray<{
    readonly text: string
    readonly words: ReadonlyArray<{ readonly w: string; readonly start: number; readonly end: number }>
  }>
}

export const reference = (name: string): Reference =>
  JSON.parse(readFileSync(new URL(name, SAMPLES), 'utf8')) as Reference

export const textOf = (segments: readonly HeardSegment[]): string =>
  segments.map((segment) => segment.text).join(' ')

export function repeat(pcm16: Int16Array, times: number): Int16Array {
  const all = new Int16Array(pcm16.length * times)
  for (let i = 0; i < times; i += 1) all.set(pcm16, i * pcm16.length)
  return all
}

export const quiet: Log = { info() {}, warn() {}, error() {}, with: () => quiet }

export async function engineOptions(overrides: Partial<EngineOptions> = {}): Promise<EngineOptions> {
  const built = await ensureEngine()
  const { name: modelName, path: modelPath } = await resolveModel('mini')
  return { ...built, modelPath, modelName, threads: 1, processes: 1, log: quiet, ...overrides }
}

export const miniEngine = async (overrides: Partial<EngineOptions> = {}) =>
  createEngine(await engineOptions(overrides))

/** The code of the error that a promise fails with. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return await promise.then(
    () => undefined,
    (error: unknown) => (error as { code?: string }).code,
  )
}

/** A process that ended and that nobody has reaped yet does not run. */
export function isRunning(pid: number): boolean {
  if (!existsSync('/proc/self/stat')) return isAlive(pid)
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

/** Waits for something that is bound to happen; the test's own limit ends it otherwise. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20))
}
