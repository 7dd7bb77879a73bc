import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { readEnvironment } from '../../lib/adapters/env.ts'

// Containers as the tests need them, by docker or podman.

const { CONTAINER_TOOL: tool } = readEnvironment(z.object({ CONTAINER_TOOL: z.string().default('docker') }))

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function execute(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(tool, args, { maxBuffer: 64 * 1024 ** 2 }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0
      resolve({ code, stdout: stdout.trim(), stderr })
    })
  })
}

async function must(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await execute(...args)
  if (code !== 0) throw new Error(`${tool} ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}

/** The strictest that a deployment can ask for: every test runs under it. */
const HARDENED = [
  ...['--read-only', '--tmpfs', '/tmp:rw,mode=1777'],
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
]

export interface Start {
  readonly image: string
  readonly options?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

/** Starts a container and gives what can be done with it. */
export async function start({ image, options = [], env = {}, args = [] }: Start) {
  const name = `verbatim-test-${randomUUID().slice(0, 8)}`
  const variables = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`])
  await must('run', '--detach', '--name', name, ...HARDENED, ...options, ...variables, image, ...args)
  return {
    exec: (...command: readonly string[]) => execute('exec', name, ...command),
    async logs() {
      const { stdout, stderr } = await execute('logs', name)
      return `${stdout}\n${stderr}`
    },
    /** SIGTERM, and SIGKILL after 60 s. Gives the exit code and how long it took. */
    async stop() {
      const begin = performance.now()
      await must('stop', '--time', '60', name)
      const ms = Math.round(performance.now() - begin)
      return { ms, exitCode: Number(await must('inspect', '--format', '{{.State.ExitCode}}', name)) }
    },
    startAgain: () => must('start', name),
    isRunning: async () => (await must('inspect', '--format', '{{.State.Running}}', name)) === 'true',
    remove: () => execute('rm', '--force', '--volumes', name),
  }
}

export type Container = Awaited<ReturnType<typeof start>>

/** A volume, removed by the returned function. */
export async function volume() {
  const name = `verbatim-test-${randomUUID().slice(0, 8)}`
  await must('volume', 'create', name)
  return { name, remove: () => execute('volume', 'rm', '--force', name) }
}

export const imageBytes = async (image: string): Promise<number> =>
  Number(await must('image', 'inspect', '--format', '{{.Size}}', image))
