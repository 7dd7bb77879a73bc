import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../local/main.ts', import.meta.url))

export interface RunningService {
  readonly url: string
  readonly token: string
  readonly data: string
  readonly process: ChildProcess
  /** All that went to stderr so far: the log. */
  log(): string
  /** Waits for the process to end by itself after `signal`. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

export interface StartOptions {
  readonly data: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts `npm start`'s program as its own process, on a free port; one engine of one thread, unless `args` say more. */
export async function startService({ data, args = [], env = {} }: StartOptions): Promise<RunningService> {
  const one = ['--engines', '1', '--threads', '1']
  // The flags are those of `npm start`.
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=4', MAIN, '--port', '0', '--data', data, ...one, ...args],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  running.add(child)
  const url = await until(async () => {
    if (child.exitCode !== null) throw new Error(`the service ended at its start:\n${out}${err}`)
    return /Verbatim listens on (\S+)/.exec(out)?.[1]
  })
  const token = (await readFile(join(data, 'token'), 'utf8')).trim()
  return {
    ...{ url, token, data, process: child, log: () => err },
    end: async (signal = 'SIGTERM') => {
      child.kill(signal)
      running.delete(child)
      return ended
    },
  }
}

const running = new Set<ChildProcess>()
const folders: string[] = []

/** For afterAll: no service and no folder of a test outlives it. */
export async function cleanUp(): Promise<void> {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
  await Promise.all(
    folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 })),
  )
}

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-test-'))
  folders.push(folder)
  return folder
}

/** Asks again until there is an answer. */
export async function until<T>(ask: () => Promise<T | undefined>, timeoutMs = 50_000): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > end) throw new Error('waited in vain')
    await sleep(20)
  }
}

// What a client that is not ours would do, with nothing but fetch.

export interface Reply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came, whatever it is.
  body: any
  headers: Headers
}

export async function call(
  { url, token }: Pick<RunningService, 'url' | 'token'>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

export async function put(
  url: string,
  bytes: Uint8Array,
  headers: Record<string, string>,
): Promise<Response> {
  return fetch(url, { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer>, headers })
}

/** Asks for an upload of these bytes and sends them; gives the job's id. */
export async function uploadBytes(
  service: Pick<RunningService, 'url' | 'token'>,
  bytes: Uint8Array,
  request: Record<string, unknown> = {},
): Promise<string> {
  const made = await call(service, 'POST', '/upload', {
    filename: 'recording.wav',
    sizeBytes: bytes.length,
    ...request,
  })
  if (made.status !== 201) throw new Error(`upload refused: ${JSON.stringify(made.body)}`)
  const sent = await put(made.body.uploadUrl, bytes, made.body.headers)
  if (sent.status !== 200) throw new Error(`PUT refused: ${sent.status} ${await sent.text()}`)
  return made.body.jobId
}

export async function uploadFile(
  service: Pick<RunningService, 'url' | 'token'>,
  path: string,
  request: Record<string, unknown> = {},
): Promise<string> {
  return uploadBytes(service, await readFile(path), { filename: basename(path), ...request })
}

/** Polls until the job has ended. */
export async function ended(
  service: Pick<RunningService, 'url' | 'token'>,
  jobId: string,
  timeoutMs?: number,
): Promise<Reply['body']> {
  return until(async () => {
    const { body } = await call(service, 'GET', `/status/${jobId}`)
    return ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'].includes(body.status) ? body : undefined
  }, timeoutMs)
}

export async function download(status: Reply['body'], format: string): Promise<string> {
  const response = await fetch(status.downloads[format])
  if (response.status !== 200) throw new Error(`download refused: ${response.status}`)
  return response.text()
}
