import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Received {
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the receiver does with a request; left out: it takes it, with 204. */
export type Behaviour = (response: ServerResponse, received: Received, request: IncomingMessage) => unknown

/** A real HTTP server that takes webhooks. */
export async function startReceiver() {
  const requests: Received[] = []
  const sockets = new Set<Socket>()
  const behaviour: { now: Behaviour } = { now: (response) => response.writeHead(204).end() }
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    const { url: path = '', method = '' } = request
    const received = { path, method, headers, body: Buffer.concat(parts).toString('utf8') }
    requests.push(received)
    behaviour.now(response, received, request)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    if (!server.listening) return
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    ...{ port, url: `http://127.0.0.1:${port}`, requests },
    connections: () => sockets.size,
    behave: (next: Behaviour) => {
      behaviour.now = next
    },
    /** Takes everything with 204 again. */
    recover: () => {
      behaviour.now = (response) => response.writeHead(204).end()
    },
    /** Nobody listens any more. */
    stop,
    restart: () => listen(port),
  }
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>
