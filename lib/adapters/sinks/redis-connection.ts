import { createClient } from '@redis/client'
import { VerbatimError } from '../../core/errors.ts'

// node-redis's own reconnecting keeps commands waiting without a limit, and has no time limit for a command that was
// sent over a connection that is dead without knowing it (https://github.com/redis/node-redis/issues/2175), as after
// a Lambda function was frozen. Here a connection that fails is thrown away, and the next command makes a new one.

const CONNECT_MS = 2000
const COMMAND_MS = 3000

export interface RedisConnection {
  /** Runs a script. Fails with `unavailable`, at the latest after some seconds; the connection is made anew then. */
  run(script: string, keys: readonly string[], values: readonly string[]): Promise<unknown>
  remove(keys: readonly string[]): Promise<void>
  close(): void
}

type Client = ReturnType<typeof newClient>

export interface RedisConnectionOptions {
  /** Asked for each new connection, where they do not stand in the URL. */
  readonly credentials?: () => Promise<{ username: string; password: string }>
  /** Time limits, in ms. */
  readonly connectMs?: number
  readonly commandMs?: number
}

/** `url`: redis:// or rediss://, with user, password and database number if need be. Fails with `internal`. */
export function connectRedis(url: string, options: RedisConnectionOptions = {}): RedisConnection {
  const { connectMs = CONNECT_MS, commandMs = COMMAND_MS, credentials } = options
  checkUrl(url)
  let current: Promise<Client> | undefined

  async function open(): Promise<Client> {
    const client = newClient(url, connectMs, credentials)
    // What goes wrong is told by the command that fails.
    client.on('error', () => undefined)
    try {
      await within(client.connect(), connectMs)
      return client
    } catch (thrown) {
      destroy(client)
      throw thrown
    }
  }

  async function attempt<T>(command: (client: Client) => Promise<T>): Promise<T> {
    current ??= open()
    const mine = current
    try {
      const client = await mine
      return await within(command(client), commandMs)
    } catch (thrown) {
      if (current === mine) current = undefined
      mine.then(destroy, () => undefined)
      throw thrown
    }
  }

  /** A connection that has stood may have died unnoticed: that is no reason to fail before a new one was tried. */
  async function once<T>(command: (client: Client) => Promise<T>): Promise<T> {
    const stood = current !== undefined
    try {
      return await attempt(command).catch((thrown) => (stood ? attempt(command) : Promise.reject(thrown)))
    } catch {
      // The cause would hold the address, or quote what was sent.
      throw new VerbatimError('unavailable', 'Redis does not answer as it should.')
    }
  }

  return {
    run: (script, keys, values) =>
      once((client) => client.eval(script, { keys: [...keys], arguments: [...values] })),
    remove: async (keys) => void (await once((client) => client.del([...keys]))),
    close() {
      current?.then(destroy, () => undefined)
      current = undefined
    },
  }
}

function newClient(url: string, connectTimeout: number, credentials: RedisConnectionOptions['credentials']) {
  return createClient({
    url,
    ...(credentials && { credentialsProvider: { type: 'async-credentials-provider', credentials } }),
    // Protocol 2 and no greetings: understood by every Redis, Valkey and proxy.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    socket: { connectTimeout, reconnectStrategy: false },
  })
}

/** The library's own error would quote the URL, password included. */
function checkUrl(url: string): void {
  if (URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol)) return
  throw new VerbatimError('internal', 'The address of Redis is not a redis:// or rediss:// URL.')
}

function destroy(client: Client): void {
  // One that is closed already refuses to be.
  if (client.isOpen) client.destroy()
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('late')), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
