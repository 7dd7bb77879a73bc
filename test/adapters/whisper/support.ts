import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isAlive } from '../../../lib/adapters/whisper/lock.ts'
import type { HeardSegment } from '../../../lib/core/transcript/shape.ts'
import { readWav } from '../../support/wav.ts'

const SAMPLES = new URL('../../../models/mini/samples/', import.meta.url)

export const sample = (name: string): Int16Array => readWav(fileURLToPath(new URL(name, SAMPLES))).pcm16

/** "Der Kunde wartet auf eine Antwort.", spoken by espeak-ng. */
export const german = (): Int16Array =>
  readWav(fileURLToPath(new URL('fixtures/german.wav', import.meta.url))).pcm16

export const textOf = (segments: readonly HeardSegment[]): string =>
  segments.map((segment) => segment.text).join(' ')

export function repeat(pcm16: Int16Array, times: number): Int16Array {
  const all = new Int16Array(pcm16.length * times)
  for (let i = 0; i < times; i += 1) all.set(pcm16, i * pcm16.length)
  return all
}

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
