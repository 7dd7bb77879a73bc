import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The CLI as users run it: a process of its own.

const root = fileURLToPath(new URL('../..', import.meta.url))
export const sample = (name: string): string => join(root, 'models/mini/samples', name)

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
