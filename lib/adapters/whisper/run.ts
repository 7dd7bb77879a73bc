import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { VerbatimError } from '../../core/errors.ts'
import { childEnv } from '../env.ts'

/** How long a child may take to end by itself once it was told to. */
const GRACE_MS = 3000
/** Lines of output that are kept to explain a failure. */
const KEPT_LINES = 60

export interface RunOptions {
  readonly cwd?: string
  readonly signal?: AbortSignal | undefined
  /** Each line of the child's output, both streams. */
  readonly onLine?: (line: string) => void
}

/**
 * Runs a program to its end. Fails with `cancelled` (signal; the child is gone then) or with a plain Error that
 * holds the last lines of output.
 *
 * The child stays in our process group, so that Ctrl-C on a terminal reaches it without us.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
  const { cwd, signal, onLine } = options
  throwIfCancelled(signal)
  const child = spawn(program, args, { cwd, env: childEnv(), stdio: ['ignore', 'pipe', 'pipe'] })
  const tail: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line)
      if (tail.length > KEPT_LINES) tail.shift()
      onLine?.(line)
    })
  }
  let force: NodeJS.Timeout | undefined
  const stop = () => {
    child.kill('SIGTERM')
    force = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const end = await new Promise<string | number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, killedBy) => resolve(killedBy ?? code))
    })
    throwIfCancelled(signal)
    if (end !== 0) throw new Error(`${program} ended with ${end}:\n${tail.join('\n')}`)
  } finally {
    clearTimeout(force)
    signal?.removeEventListener('abort', stop)
  }
}

/** Turns a fired signal into our error. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal)
}

export function cancelled(signal: AbortSignal | undefined): VerbatimError {
  return new VerbatimError('cancelled', 'It was cancelled.', {
    hint: 'Start it again; what was finished is kept.',
    cause: signal?.reason,
  })
}
