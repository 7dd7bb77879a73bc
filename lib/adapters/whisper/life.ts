import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { VerbatimError } from '../../core/errors.ts'
import { spawnGuarded } from './guarded-spawn.ts'
import { isHealthy } from './post.ts'
import { checkModelFile } from './whole.ts'

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One whisper-server process, from its start to its end. */
export interface Life {
  readonly pid: number
  readonly port: number
  /** The path in front of every route: random, so that no other server can be taken for ours. */
  readonly root: string
  readonly exited: Promise<Exit>
  /** Undefined while it runs. */
  exit(): Exit | undefined
  kill(signal: NodeJS.Signals): void
}

export interface LifeOptions {
  readonly serverPath: string
  readonly modelPath: string
  readonly threads: number
  /** Loading the model may take so long. */
  readonly startMs: number
  /** Ends the start. */
  readonly signal: AbortSignal
}

/** Another program may take the port while the model loads. */
const PORT_ATTEMPTS = 5
/** Output that is looked at when a start fails; nothing of it is ever shown, logged or kept. */
const KEPT_OUTPUT = 4096

/**
 * Starts whisper-server and resolves when its model is loaded. Fails with `engine-missing`, `model-missing`,
 * `model-corrupt`, `engine-crashed` or `engine-timeout`.
 */
export async function startLife(options: LifeOptions): Promise<Life> {
  await access(options.serverPath, constants.X_OK).catch((cause: unknown) => {
    throw new VerbatimError('engine-missing', "The engine's program is not there.", { cause })
  })
  await checkModelFile(options.modelPath)
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await tryPort(options, await freePort())
    if ('pid' in outcome) return outcome
    const portTaken = /couldn't bind to server socket/.test(outcome.output)
    if (!portTaken || attempt === PORT_ATTEMPTS) throw startFailure(outcome.exit, outcome.output)
  }
}

async function tryPort(options: LifeOptions, port: number): Promise<Life | { exit: Exit; output: string }> {
  const root = `/${randomBytes(16).toString('hex')}`
  const child = spawnGuarded(options.serverPath, serverArguments(options, port, root), {
    cwd: tmpdir(),
    // Waiting threads sleep: spinning ones slow everything down where cores are shared.
    env: { OMP_WAIT_POLICY: 'passive' },
  })
  const output = keepTail(child)
  const life = lifeOf(child, port, root)
  const deadline = Date.now() + options.startMs
  for (let waitMs = 20; !(await isHealthy(port, `${root}/health`)); waitMs = Math.min(250, waitMs * 1.3)) {
    const exit = await Promise.race([life.exited, sleep(waitMs)])
    if (exit) return { exit, output: output() }
    if (Date.now() > deadline || options.signal.aborted) {
      life.kill('SIGKILL')
      await life.exited
      if (options.signal.aborted) throw stopped()
      throw new VerbatimError('engine-timeout', 'The engine did not load its model in time.')
    }
  }
  return life
}

/** What a request gets that the end of the service leaves without an answer; the work may be done elsewhere. */
export const stopped = () => new VerbatimError('engine-crashed', 'The engine was stopped.')

/** Decoding options against loops: beam 5, entropy 2.8, 64 tokens of context (whisper.cpp #1507, #2191). */
function serverArguments({ modelPath, threads }: LifeOptions, port: number, root: string): string[] {
  return [
    ['--model', modelPath],
    ['--host', '127.0.0.1'],
    ['--port', String(port)],
    ['--request-path', root],
    ['--public', join(tmpdir(), `no-such-folder-${root.slice(1)}`)],
    ['--threads', String(threads)],
    ['--beam-size', '5'],
    ['--best-of', '5'],
    ['--entropy-thold', '2.8'],
    ['--max-context', '64'],
    ['--suppress-nst'],
  ].flat()
}

function lifeOf(child: ChildProcess, port: number, root: string): Life {
  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      exit ??= { code, signal }
      resolve(exit)
    }
    child.once('exit', end)
    child.once('error', () => end(127, null)) // there is no shell, or no process to be had
  })
  child.stdin?.on('error', () => {}) // the watcher's end of the pipe
  return {
    pid: child.pid ?? 0,
    port,
    root,
    exited,
    exit: () => exit,
    kill: (signal) => {
      if (!exit) child.kill(signal)
    },
  }
}

/** Reads the output away, or the process would stand still at a full pipe; remembers its last bytes. */
function keepTail(child: ChildProcess): () => string {
  let tail = ''
  const keep = (piece: Buffer) => {
    tail = (tail + piece.toString('latin1')).slice(-KEPT_OUTPUT)
  }
  child.stderr?.on('data', keep)
  child.stdout?.resume()
  return () => tail
}

function startFailure({ code, signal }: Exit, output: string): VerbatimError {
  if (code === 126 || code === 127) {
    return new VerbatimError('engine-missing', "The engine's program cannot run on this system.")
  }
  if (signal === 'SIGILL') {
    return new VerbatimError('engine-missing', 'The engine was built for another CPU.', {
      hint: 'Delete the engine folder in the cache; it is built anew for this CPU.',
    })
  }
  // 3: whisper_init failed; it says so of a damaged model and of too little memory alike.
  if (code === 3 && !/failed to alloc|out of memory|bad_alloc/i.test(output)) {
    return new VerbatimError('model-corrupt', 'The engine cannot load this model.')
  }
  return new VerbatimError('engine-crashed', 'The engine stopped while it loaded its model.', {
    hint: 'There may be too little memory for this model: try a smaller one.',
  })
}

/** A port of 127.0.0.1 that is free at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
