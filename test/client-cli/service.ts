import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const sample = (name: string): string => join(root, 'models/mini/samples', name)

export interface RunningService {
  readonly url: string
  readonly token: string
  readonly data: string
  stop(): Promise<void>
}

/** The real service in a process of its own, with an empty data folder. */
export async function startService(): Promise<RunningService> {
  const data = mkdtempSync(join(tmpdir(), 'verbatim-service-'))
  const args = [join(root, 'local/main.ts'), '--port', '0', '--data', data, '--drain-seconds', '0']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const url = await urlFrom(child)
  return {
    url,
    data,
    token: readFileSync(join(data, 'token'), 'utf8').trim(),
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function urlFrom(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.on('exit', (code) => reject(new Error(`The service ended with ${code}.`)))
    child.stdout?.on('data', (piece: Buffer) => {
      text += piece
      const [url] = /http:\/\/127\.0\.0\.1:\d+(?=\D)/.exec(text) ?? []
      if (url && text.includes('Try:')) resolve(url)
    })
  })
}

export interface CliResult {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the CLI as a user would; `onStart` may send signals. */
export async function runCli(
  args: readonly string[],
  o: {
    cwd?: string
    env?: Record<string, string>
    stdin?: Buffer
    onStart?: (child: ChildProcess) => void
  } = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [join(root, 'client-cli/verbatim.js'), ...args], {
    ...(o.cwd && { cwd: o.cwd }),
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...o.env },
  })
  child.stdin.end(o.stdin)
  o.onStart?.(child)
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', (piece) => {
    out.stdout += piece
  })
  child.stderr.on('data', (piece) => {
    out.stderr += piece
  })
  const [exit] = await once(child, 'close')
  return { exit, ...out }
}
