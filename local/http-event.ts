import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpEvent, HttpReply } from '../lambdas/api/http.ts'
import { LIVE_ROUTES, type LiveRouteName, ROUTES, type RouteName } from '../lambdas/api/routes.ts'
import { VerbatimError } from '../lib/core/errors.ts'
import { LIVE_DEFAULTS } from '../lib/core/live/settings.ts'

export const ALL_ROUTES = { ...ROUTES, ...LIVE_ROUTES }
export type AnyRoute = RouteName | LiveRouteName

/** API Gateway's own limit for a body is 10 MB; ours never need more than a few kilobytes … */
const MAX_BODY_BYTES = 1024 ** 2
/** … but for chunks. */
const { maxChunkBytes: MAX_CHUNK_BYTES } = LIVE_DEFAULTS
const TOO_LARGE =
  'Post sound in shorter chunks, about 3 seconds each; recordings go to the URL that POST /upload gives.'
/** So much more is read and thrown away: who is cut off while sending sees a broken connection and not the answer. */
const THROWN_AWAY_BYTES = 32 * 1024 ** 2

export type RouteMatch =
  | { readonly route: AnyRoute; readonly params: Record<string, string> }
  | { readonly route: undefined; readonly allowed: readonly string[] }

const PATTERNS = Object.entries(ALL_ROUTES).map(([name, { method, path }]) => ({
  route: name as AnyRoute,
  method,
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`),
}))

/** Finds the route as API Gateway would; without one, the methods that the path knows (none: no such path). */
export function matchRoute(method: string, path: string): RouteMatch {
  const fitting = PATTERNS.flatMap((it) => {
    const match = it.pattern.exec(path)
    return match ? [{ ...it, params: { ...match.groups } }] : []
  })
  const found = fitting.find((it) => it.method === method)
  if (!found) return { route: undefined, allowed: fitting.map((it) => it.method) }
  return { route: found.route, params: decodeAll(found.params) }
}

function decodeAll(params: Record<string, string>): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]),
    )
  } catch {
    throw new VerbatimError('bad-request', 'The path is not properly encoded.')
  }
}

/** Builds the event that an HTTP API sends (payload format 2.0). */
export async function toEvent(
  req: IncomingMessage,
  route: { route: AnyRoute; params: Record<string, string> },
  requestId: string,
): Promise<HttpEvent> {
  const url = new URL(req.url ?? '/', 'http://local')
  const { method, path } = ALL_ROUTES[route.route]
  const body = await readBody(req, route.route === 'stream' ? MAX_CHUNK_BYTES : MAX_BODY_BYTES)
  const isBase64Encoded = body.length > 0 && !isText(req.headers)
  const query = joined(url.searchParams)
  const now = new Date()
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: flatten(req.headers),
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    ...(Object.keys(route.params).length > 0 && { pathParameters: route.params }),
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded,
    requestContext: {
      ...{
        accountId: '000000000000',
        apiId: 'local',
        domainName: 'local',
        domainPrefix: 'local',
        stage: '$default',
      },
      ...{ requestId, routeKey: `${method} ${path}`, time: now.toISOString(), timeEpoch: now.getTime() },
      http: {
        ...{ method, path: url.pathname, protocol: `HTTP/${req.httpVersion}` },
        ...{ sourceIp: req.socket.remoteAddress ?? '', userAgent: req.headers['user-agent'] ?? '' },
      },
    },
  }
}

export const newRequestId = (): string => randomUUID()

/** API Gateway joins repeated parameters with a comma, and repeated headers. */
const joined = (params: URLSearchParams): Record<string, string> =>
  Object.fromEntries(Array.from(new Set(params.keys()), (name) => [name, params.getAll(name).join(',')]))

const flatten = (headers: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )

/** What API Gateway hands on as it is; everything else as base64. */
const isText = ({ 'content-type': type = '', 'content-encoding': encoding }: IncomingMessage['headers']) =>
  encoding === undefined && /^\s*(text\/|application\/(json|javascript|xml)\s*(;|$))/i.test(type)

/** The body, of at most `most` bytes. What is too large is read to its end, within reason, and not kept. */
function readBody(req: IncomingMessage, most: number): Promise<Buffer> {
  const tooLarge = () =>
    new VerbatimError('too-large', `The body is larger than ${most} bytes.`, { hint: TOO_LARGE })
  if (Number(req.headers['content-length'] ?? 0) > most + THROWN_AWAY_BYTES) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= most) chunks.push(chunk)
      else chunks.length = 0
      if (bytes <= most + THROWN_AWAY_BYTES) return
      req.pause()
      reject(tooLarge())
    })
    req.on('end', () => (bytes > most ? reject(tooLarge()) : resolve(Buffer.concat(chunks))))
    // Nobody will see this answer: the client has gone.
    req.on('error', () => reject(new VerbatimError('bad-request', 'The body broke off.')))
  })
}

export function sendReply(res: ServerResponse, { statusCode, headers = {}, body = '' }: HttpReply): void {
  res.statusCode = statusCode ?? 200
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, String(value))
  if (res.statusCode !== 204) res.setHeader('content-length', Buffer.byteLength(body))
  res.end(body)
}
