import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createClient } from '@redis/client'

const NAMES = ['valkey-server', 'redis-server']

const newClient = (url: string) => createClient({ url, socket: { reconnectStrategy: false } })
type Client = ReturnType<typeof newClient>

/** A real Redis or Valkey on a port of its own, with nothing on disk. */
export interface TestRedis {
  readonly url: string
  readonly pid: () => number
  /** Runs one command over a connection of its own. */
  ask<T>(command: (client: Client) => Promise<T>): Promise<T>
  /** Ends it like a power cut: nothing is saved. */
  kill(): Promise<void>
  /** On the same port, empty. */
  start(): Promise<void>
  dispose(): Promise<void>
}

export async function startRedis({ password }: { password?: string } = {}): Promise<TestRedis> {
  const program = findServer()
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'verbatim-redis-'))
  const url = `redis://${password ? `:${password}@` : ''}127.0.0.1:${port}`
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  if (password) args.push('--requirepass', password)
  let child: ChildProcess | undefined

  async function ask<T>(command: (client: Client) => Promise<T>): Promise<T> {
    const client = newClient(url)
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await command(client)
    } finally {
      client.destroy()
    }
  }

  async function start(): Promise<void> {
    child = spawn(program, args, { stdio: 'ignore' })
    for (let tries = 0; ; tries++) {
      try {
        await ask((client) => client.ping())
        return
      } catch (error) {
        if (tries === 500 || child.exitCode !== null) throw error
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  }

  async function kill(): Promise<void> {
    const ending = child
    child = undefined
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    ending.kill('SIGKILL')
    await ended
  }

  await start()
  return {
    ...{ url, ask, kill, start, pid: () => child!.pid! },
    async dispose() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function findServer(): string {
  for (const name of NAMES) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, name)
      try {
        accessSync(file, constants.X_OK)
        return file
      } catch {
        // Not here.
      }
    }
  }
  throw new Error(
    'These tests need a Redis or Valkey server: apt-get install redis-server, brew install valkey, or the like.',
  )
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
