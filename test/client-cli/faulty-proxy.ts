import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to a request on its way to the real service. */
export type Fault =
  /** Half of the body is read, then the connection breaks. */
  | 'cut'
  /** The service does its work, but its reply is lost. */
  | 'lose-reply'
  /** Nothing moves any more. */
  | 'hang'
  /** This is answered instead. */
  | { status: number; headers?: Record<string, string>; text?: string }

export interface FaultyProxy {
  readonly url: string
  /** `METHOD /path` of every request, in order. */
  readonly seen: string[]
  /** Decides for each request; undefined lets it through. */
  fault: (method: string, path: string) => Fault | undefined
  close(): Promise<void>
}

/** A network that can be told to fail, in front of a service. Presigned URLs lead through it too. */
export async function createFaultyProxy(target: string): Promise<FaultyProxy> {
  const server = http.createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?')
    const line = `${request.method} ${path}`
    proxy.seen.push(line)
    const fault = proxy.fault(request.method ?? '', path)
    if (fault === undefined) forward(target, request, (reply) => relay(reply, response))
    else if (fault === 'lose-reply')
      forward(target, request, (reply) => reply.resume().on('end', () => request.socket.destroy()))
    else if (fault === 'hang') request.pause()
    else if (fault === 'cut') cut(request)
    else {
      request.resume().on('end', () => response.writeHead(fault.status, fault.headers).end(fault.text))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    fault: () => undefined,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

function forward(
  target: string,
  request: http.IncomingMessage,
  onReply: (reply: http.IncomingMessage) => void,
) {
  const { method, headers, url } = request
  const onward = http.request(new URL(url ?? '/', target), { method: method ?? 'GET', headers }, onReply)
  onward.on('error', () => request.socket.destroy())
  request.pipe(onward)
}

function relay(reply: http.IncomingMessage, response: http.ServerResponse): void {
  response.writeHead(reply.statusCode ?? 502, reply.headers)
  reply.pipe(response)
}

function cut(request: http.IncomingMessage): void {
  const half = Number(request.headers['content-length'] ?? 0) / 2
  let bytes = 0
  request.on('data', (piece: Buffer) => {
    bytes += piece.length
    if (bytes >= half) request.socket.destroy()
  })
  if (half === 0) request.socket.destroy()
}
