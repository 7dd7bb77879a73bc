import { setTimeout as sleep } from 'node:timers/promises'
import { toVerbatimError, VerbatimError } from '../../core/errors.ts'
import type { Log } from '../../core/ports.ts'
import { type Life, startLife, stopped } from './life.ts'
import { type Form, post } from './post.ts'
import { restartDelayMs } from './restart.ts'
import { cancelled, throwIfCancelled } from './run.ts'

export interface ServerOptions {
  readonly serverPath: string
  readonly modelPath: string
  readonly threads: number
  readonly startMs: number
  readonly log: Log
}

/** A whisper-server that is started when it is needed and again when it has died. One request at a time. */
export interface Server {
  /** Undefined while no process runs. */
  pid(): number | undefined
  /** Loads the model. Repeating it is harmless. */
  start(): Promise<void>
  /** The body of the server's reply to a form. `signal` and a passed limit end the work in the server too. */
  ask(form: Form, limits: { timeoutMs: number; signal?: AbortSignal | undefined }): Promise<string>
  stop(): Promise<void>
}

/** How long a process may take to end by itself. */
const GRACE_MS = 2000
/** The end of a process may be seen a little after the end of its connections. */
const EXIT_MS = 1000

export function createServer(options: ServerOptions): Server {
  const { log } = options
  const stopping = new AbortController()
  let life: Life | undefined
  let starting: Promise<Life> | undefined
  /** When it died, since the last success. */
  let crashes: number[] = []

  /** The running process, or a new one. Callers share a start. */
  function alive(): Promise<Life> {
    if (stopping.signal.aborted) return Promise.reject(stopped())
    if (life && !life.exit()) return Promise.resolve(life)
    starting ??= begin().finally(() => {
      starting = undefined
    })
    return starting
  }

  async function begin(): Promise<Life> {
    const delayMs = restartDelayMs(crashes, Date.now())
    if (delayMs === undefined) throw new VerbatimError('engine-crashed', 'The engine keeps crashing.')
    await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {})
    const startedAt = Date.now()
    try {
      life = await startLife({ ...options, signal: stopping.signal })
    } catch (error) {
      const known = toVerbatimError(error)
      if (known.code === 'engine-crashed') crashes.push(Date.now())
      log.warn('engine did not start', { code: known.code, count: crashes.length })
      throw known
    }
    log.info('engine started', { pid: life.pid, ms: Date.now() - startedAt })
    return life
  }

  async function ask(
    form: Form,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  ) {
    throwIfCancelled(signal)
    const current = await orCancelled(alive(), signal)
    const limit = AbortSignal.timeout(timeoutMs)
    try {
      const all = AbortSignal.any(signal ? [signal, limit] : [limit])
      const reply = await post(current.port, `${current.root}/inference`, form, all)
      if (reply.status !== 200) throw new Error(`HTTP ${reply.status}`)
      crashes = []
      return reply.body
    } catch {
      if (signal?.aborted) throw cancelled(signal)
      if (limit.aborted) {
        await putDown(current)
        throw new VerbatimError('engine-timeout', 'The engine took too long over one request.')
      }
      throw await crashed(current)
    }
  }

  /** A broken connection or a refusal: this process is not asked again. */
  async function crashed(current: Life): Promise<VerbatimError> {
    await Promise.race([current.exited, sleep(EXIT_MS, undefined, { ref: false })])
    const exit = current.exit()
    await putDown(current)
    if (stopping.signal.aborted) return stopped()
    crashes.push(Date.now())
    log.warn('engine crashed', {
      pid: current.pid,
      count: crashes.length,
      ...(exit?.signal ? { signal: exit.signal } : {}),
      ...(exit?.code != null ? { code: `exit-${exit.code}` } : {}),
    })
    return new VerbatimError('engine-crashed', 'The engine stopped while it listened.')
  }

  async function putDown(current: Life): Promise<void> {
    current.kill('SIGKILL')
    await current.exited
  }

  return {
    pid: () => (life && !life.exit() ? life.pid : undefined),
    async start() {
      await alive()
    },
    ask,
    async stop() {
      stopping.abort()
      await starting?.catch(() => {})
      if (!life || life.exit()) return
      life.kill('SIGTERM')
      await Promise.race([life.exited, sleep(GRACE_MS, undefined, { ref: false })])
      await putDown(life)
    },
  }
}

/** Waits for something that others wait for too, no longer than the signal allows. */
async function orCancelled<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await promise
  let leave = () => {}
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(cancelled(signal))
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([promise, left])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
