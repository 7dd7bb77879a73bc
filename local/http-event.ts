import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpEvent, HttpReply } from '../lambdas/api/http.ts'
import { ROUTES, type RouteName } from '../lambdas/api/routes.ts'
import { VerbatimError } from '../lib/core/errors.ts'

/** API Gateway's own limit for a body is 10 MB; ours never need more than a few kilobytes. */
const MAX_BODY_BYTES = 1024 ** 2

export type RouteMatch =
  | { readonly route: RouteName; readonly params: Record<string, string> }
  | { readonly route: undefined; readonly allowed: readonly string[] }

const PATTERNS = Object.entries(ROUTES).map(([name, { method, path }]) => ({
  route: name as RouteName,
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
  route: { route: RouteName; params: Record<string, string> },
  requestId: string,
): Promise<HttpEvent> {
  const url = new URL(req.url ?? '/', 'http://local')
  const { method, path } = ROUTES[route.route]
  const body = await readBody(req)
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
    ...(body.length > 0 && { body: body.toString('utf8') }),
    isBase64Encoded: false,
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

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES)
      throw new VerbatimError('too-large', `The body is larger than ${MAX_BODY_BYTES} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function sendReply(res: ServerResponse, { statusCode, headers = {}, body = '' }: HttpReply): void {
  res.statusCode = statusCode ?? 200
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, String(value))
  if (res.statusCode !== 204) res.setHeader('content-length', Buffer.byteLength(body))
  res.end(body)
}
