import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { VerbatimError } from '../../core/errors.ts'
import type { Log } from '../../core/ports.ts'
import { sendObject } from './object-download.ts'
import type { LocalObjectStore } from './object-store.ts'
import { receiveObject } from './object-upload.ts'
import type { Presigner } from './presign.ts'
import { storageError } from './storage-error.ts'

export interface ObjectHttpDeps {
  readonly store: LocalObjectStore
  readonly presigner: Presigner
  readonly log: Log
}

/** A connection on which no byte moves for so long is cut. */
const IDLE_MS = 120_000

const METHODS = 'GET, HEAD, PUT, OPTIONS'

/** How long a client that was refused may go on sending before the connection is cut. */
const LINGER_MS = 5_000

/**
 * Answers PUT, GET, HEAD and OPTIONS under /objects/, as S3 answers presigned requests. The URL is the permission:
 * there is no token, and pages of any origin may use it. The host must not log the query, which holds the signature
 * and a file name, and must set the server's `requestTimeout` to 0, because an upload may take hours; a connection
 * on which nothing moves is cut here.
 */
export function createObjectHttp(deps: ObjectHttpDeps) {
  return async function handleObjectRequest(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.setHeader('Access-Control-Allow-Origin', '*')
    res.setHeader('Access-Control-Expose-Headers', 'ETag, Content-Disposition')
    cutWhenIdle(req, res)
    try {
      await answer(deps, req, res)
    } catch (thrown) {
      refuse(deps.log, req, res, thrown)
    }
  }
}

async function answer({ store, presigner }: ObjectHttpDeps, req: IncomingMessage, res: ServerResponse) {
  const { method, url = '' } = req
  if (method === 'PUT') return receiveObject(store, presigner.verify('PUT', url), req, res)
  if (method === 'GET' || method === 'HEAD') return sendObject(store, presigner.verify('GET', url), req, res)
  res.setHeader('Allow', METHODS)
  if (method !== 'OPTIONS') throw new VerbatimError('method-not-allowed', 'An object takes no such request.')
  res.writeHead(204, {
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': 'Content-Type, Range, If-Range, If-None-Match',
    'Access-Control-Max-Age': '3600',
  })
  res.end()
}

function cutWhenIdle(req: IncomingMessage, res: ServerResponse): void {
  req.setTimeout(IDLE_MS, () => {
    // Between the last byte of an upload and the reply it is the disk that takes its time.
    if (!req.complete || res.headersSent) req.socket.destroy()
  })
}

function refuse(log: Log, req: IncomingMessage, res: ServerResponse, thrown: unknown): void {
  // The client has gone, or the reply has begun: nobody can be told.
  if (res.headersSent || req.socket.destroyed) {
    res.destroy()
    return
  }
  const error = storageError(thrown)
  const { code, message, hint, traits } = error
  const requestId = randomUUID()
  if (traits.http >= 500) {
    const { stack = '' } = (error.cause ?? error) as { stack?: string }
    log.error('object-request-failed', { requestId, code, method: req.method ?? '', stack })
  }
  const body = Buffer.from(JSON.stringify({ error: { code, message, hint, requestId } }))
  res.writeHead(traits.http, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  })
  res.end(req.method === 'HEAD' ? undefined : body, () => letGo(req))
}

/** Cutting at once would often lose the reply on its way; what still comes is thrown away, but not for ever. */
function letGo(req: IncomingMessage): void {
  if (req.complete) return
  req.resume()
  const timer = setTimeout(() => {
    // Once all has come, the connection may be carrying the next request.
    if (!req.complete) req.socket.destroy()
  }, LINGER_MS)
  timer.unref()
  req.once('close', () => clearTimeout(timer))
}
