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

/** Fails where there is no server: look at `redisServer` first. */
export async function startRedis({ password }: { password?: string } = {}): Promise<TestRedis> {
  if (!redisServer) throw new Error('there is no Redis server')
  const program = redisServer
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

/** Undefined where there is none; tests that need it are skipped then, with a line that says so. */
export const redisServer: string | undefined = findServer()

function findServer(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const files = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
