import { spawn } from 'node:child_process'
import { VerbatimError } from '../../core/errors.ts'

export interface Program {
  /** Absolute path: the program gets no environment, so no PATH either. */
  readonly command: string
  readonly args: readonly string[]
}

export interface Ending {
  /** Null when a signal ended the program. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

interface RunOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Called with each piece of stdout; the program waits while the promise is open, once the pipe is full. */
  onOutput(piece: Uint8Array): Promise<void>
  /** Called with each line of stderr. */
  onLine(line: string): void
}

/** Longer lines of stderr are cut: the text of a hostile file may be one. */
const MAX_LINE = 4096

/**
 * Runs a decoder program until it ends by itself, its time is up (`decode-timeout`), the signal fires
 * (`cancelled`) or `onOutput` throws. When the promise settles the program is gone: it is killed, not asked, and
 * waited for.
 */
export async function runProgram(program: Program, options: RunOptions): Promise<Ending> {
  if (options.signal?.aborted) throw cancelled()
  // Its own environment is empty: FFREPORT, for one, would write file names into a log.
  const child = spawn(program.command, program.args, { stdio: ['ignore', 'pipe', 'pipe'], env: {} })
  let stopped: unknown
  const stop = (why: unknown): void => {
    stopped ??= why
    child.kill('SIGKILL')
  }
  const timer = setTimeout(
    () => stop(new VerbatimError('decode-timeout', 'Decoding the file took too long.')),
    options.timeoutMs,
  )
  const onAbort = (): void => stop(cancelled())
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  splitLines(child.stderr, options.onLine)
  try {
    const [ending] = await Promise.all([
      ended,
      drain(child.stdout, options.onOutput, () => stopped).catch(stop),
    ])
    if (stopped) throw stopped
    return ending
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', onAbort)
  }
}

async function drain(
  stdout: NodeJS.ReadableStream,
  onOutput: RunOptions['onOutput'],
  stopped: () => unknown,
): Promise<void> {
  for await (const piece of stdout) {
    if (stopped()) return
    await onOutput(piece as Buffer)
  }
}

function splitLines(stderr: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let held = ''
  stderr.setEncoding('latin1')
  stderr.on('data', (text: string) => {
    const lines = (held + text).split(/[\r\n]+/)
    held = lines.pop()!.slice(0, MAX_LINE)
    for (const line of lines) onLine(line)
  })
  stderr.on('end', () => onLine(held))
}

const cancelled = (): VerbatimError => new VerbatimError('cancelled', 'Decoding was cancelled.')
