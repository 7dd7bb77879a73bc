import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { StreamHandler } from '../lambdas/api/events.ts'
import { type HttpHandler, json } from '../lambdas/api/http.ts'
import { toVerbatimError, VerbatimError } from '../lib/core/errors.ts'
import type { Log } from '../lib/core/ports.ts'
import { type AnyRoute, matchRoute, newRequestId, sendReply, toEvent } from './http-event.ts'
import { sendStream } from './http-stream.ts'

export interface HttpHost {
  readonly handlers: Handlers
  readonly objects: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  readonly log: Log
  /** Ends the streams, which have no end of their own. */
  readonly stop?: AbortSignal
}

export type Handlers = Readonly<Record<Exclude<AnyRoute, 'events'>, HttpHandler> & { events: StreamHandler }>

/** Where the request that is being handled was sent to, so that presigned URLs lead back the same way. */
export const requestOrigin = new AsyncLocalStorage<string>()

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'etag, content-disposition, content-length, content-range, x-request-id, retry-after',
}
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers':
    'authorization, content-type, idempotency-key, range, last-event-id, x-session-id, x-chunk-seq, x-language',
  'access-control-max-age': '3600',
}

/** API Gateway and S3 on one port: the API's handlers get the events they get in AWS, /objects/ is the store. */
export function createHttpServer(host: HttpHost): Server {
  const server = createServer((req, res) => {
    const requestId = newRequestId()
    for (const [name, value] of Object.entries({ ...CORS, 'x-request-id': requestId }))
      res.setHeader(name, value)
    const origin = `http://${req.headers.host ?? ''}`
    const run = () => dispatch(host, req, res, requestId)
    // A Host header that is no host can't become part of a URL.
    const answered = URL.canParse(origin) ? requestOrigin.run(new URL(origin).origin, run) : run()
    answered.catch((error: unknown) => fail(host, res, requestId, error))
  })
  // An upload may take hours; a client that sends no headers is cut off by headersTimeout all the same.
  server.requestTimeout = 0
  server.keepAliveTimeout = 65_000
  return server
}

async function dispatch(
  host: HttpHost,
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
): Promise<void> {
  const path = (req.url ?? '/').split('?')[0]!
  if (req.method === 'OPTIONS') {
    res.writeHead(204, PREFLIGHT).end()
  } else if (path.startsWith('/objects/')) {
    await host.objects(req, res)
  } else {
    await callHandler(host, req, res, path, requestId)
  }
}

async function callHandler(
  { handlers, log, stop }: HttpHost,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  requestId: string,
): Promise<void> {
  const begin = performance.now()
  const method = req.method === 'HEAD' ? 'GET' : (req.method ?? '')
  const match = matchRoute(method, path)
  if (match.route === undefined) throw noRoute(match.allowed, res)
  const event = await toEvent(req, match, requestId)
  if (match.route === 'events') await sendStream(res, handlers.events, event, { stop, log })
  else sendReply(res, await handlers[match.route](event))
  const ms = Math.round(performance.now() - begin)
  log.info('request', { requestId, route: match.route, method, status: res.statusCode, ms })
}

function noRoute(allowed: readonly string[], res: ServerResponse): VerbatimError {
  if (allowed.length === 0) {
    return new VerbatimError('not-found', 'There is no such path.', { hint: 'GET /openapi.json lists them.' })
  }
  res.setHeader('allow', allowed.join(', '))
  return new VerbatimError('method-not-allowed', `This path knows only ${allowed.join(', ')}.`)
}

function fail({ log }: HttpHost, res: ServerResponse, requestId: string, thrown: unknown): void {
  const error = toVerbatimError(thrown)
  const { code, message, hint, traits } = error
  if (code === 'internal') {
    const source = error.cause instanceof Error ? error.cause : error
    log.error('request failed', { requestId, code, stack: source.stack ?? '' })
  }
  if (res.headersSent) return void res.destroy()
  if (code === 'too-large') res.setHeader('connection', 'close')
  sendReply(res, json(traits.http, { error: { code, message, hint, requestId } }))
}
