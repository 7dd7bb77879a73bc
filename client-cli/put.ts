import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { networkError } from './http.ts'
import type { Source } from './source.ts'

/** Enough of an error reply to read its code. */
const REPLY_BYTES = 16 * 1024

export interface PutTarget {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface PutReply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/**
 * Sends `length` bytes of the source from `start` on, with exactly the headers given plus the length.
 * node:http and not fetch: fetch would tell nothing about progress and may hold the body in memory.
 * `onSent` is told the bytes that the socket has taken so far. Throws `network`, or what the source throws.
 */
export async function put(
  target: PutTarget,
  source: Source,
  range: { start: number; length: number },
  o: { stallMs: number; signal?: AbortSignal | undefined; onSent?: ((bytes: number) => void) | undefined },
): Promise<PutReply> {
  o.signal?.throwIfAborted()
  const request = open(target, range.length, o.stallMs)
  const abort = () => request.destroy()
  o.signal?.addEventListener('abort', abort, { once: true })
  const reply = replyTo(request, target.url)
  const sent = send(request, source, range, o.onSent)
  try {
    // A store that refuses answers before the body is through; else the reply follows the last byte.
    return await Promise.race([reply, sent.then(() => reply)])
  } catch (error) {
    o.signal?.throwIfAborted()
    throw error
  } finally {
    o.signal?.removeEventListener('abort', abort)
    reply.catch(() => {})
    sent.catch(() => {})
    request.destroy()
    await sent.catch(() => {})
  }
}

function open(target: PutTarget, length: number, stallMs: number): http.ClientRequest {
  const headers = new Map(Object.entries(target.headers).map(([name, value]) => [name.toLowerCase(), value]))
  headers.set('content-length', String(length))
  const { request } = target.url.startsWith('https:') ? https : http
  const opened = request(target.url, { method: 'PUT', headers: Object.fromEntries(headers) })
  opened.setTimeout(stallMs, () => opened.destroy(Object.assign(new Error('stalled'), { code: 'ETIMEDOUT' })))
  return opened
}

async function send(
  request: http.ClientRequest,
  source: Source,
  { start, length }: { start: number; length: number },
  onSent?: (bytes: number) => void,
): Promise<void> {
  let bytes = 0
  const gone = once(request, 'close').catch(() => {})
  for await (const piece of source.read(start, length)) {
    // The callback comes when the socket has taken the piece; it may never come when the connection breaks.
    await Promise.race([new Promise<void>((taken) => request.write(piece, () => taken())), gone])
    if (request.destroyed) return
    bytes += piece.length
    onSent?.(bytes)
  }
  request.end()
}

function replyTo(request: http.ClientRequest, url: string): Promise<PutReply> {
  return new Promise((resolve, reject) => {
    const broken = (error?: unknown) => reject(networkError(error ?? { code: 'ECONNRESET' }, url))
    request.on('error', broken)
    const closed = () => broken()
    request.on('close', closed)
    request.on('response', (response) => {
      request.off('close', closed)
      const done = (text: string) =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      // The status is what counts: a body that breaks off changes nothing.
      textOf(response).then(done, () => done(''))
    })
  })
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes <= REPLY_BYTES) pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
