import middy from '@middy/core'
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import type { z } from 'zod'
import { verifyToken } from '../../lib/adapters/tokens.ts'
import type { ErrorReply } from '../../lib/core/contract.ts'
import { ERRORS, type ErrorCode, toVerbatimError, VerbatimError } from '../../lib/core/errors.ts'
import type { Log, TokenStore } from '../../lib/core/ports.ts'

export type HttpEvent = APIGatewayProxyEventV2
export type HttpReply = APIGatewayProxyStructuredResultV2
export type HttpHandler = (event: HttpEvent) => Promise<HttpReply>

export interface HttpPorts {
  readonly tokens: TokenStore
  readonly log: Log
}

/** A request whose token has been checked. */
export interface Caller {
  readonly tenant: string
  readonly event: HttpEvent
}

/** A handler for callers with a token; errors become the contract's replies. */
export function forCallers(ports: HttpPorts, run: (caller: Caller) => Promise<HttpReply>): HttpHandler {
  return withErrors(ports, async (event) => run({ event, tenant: await authenticate(ports.tokens, event) }))
}

/** A handler for everybody. */
export function withErrors({ log }: { log: Log }, run: HttpHandler): HttpHandler {
  const handler = middy<HttpEvent, HttpReply>()
    .onError((request) => {
      const { requestId } = request.event.requestContext
      request.response = errorReply(
        request.error,
        requestId,
        log.with({ requestId, route: request.event.routeKey }),
      )
    })
    .handler(async (event) => run(event))
  // API Gateway always sends a context; middy only reads the remaining time from it, and only with a time-out set.
  return (event) => handler(event, {} as never) as Promise<HttpReply>
}

/** The caller's tenant, or `unauthorized`. */
export async function authenticate(tokens: TokenStore, { headers }: HttpEvent): Promise<string> {
  const presented = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const caller = presented && (await verifyToken(tokens, presented))
  if (!caller) {
    const message = presented ? 'This token is not known.' : 'A bearer token is missing.'
    throw new VerbatimError('unauthorized', message)
  }
  return caller.tenant
}

export function json(statusCode: number, body: unknown): HttpReply {
  return {
    statusCode,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  }
}

/** The request's body by its schema; any content type is read as JSON. No body counts as `{}`. */
export function parseBody<S extends z.ZodType>(schema: S, event: HttpEvent): z.output<S> {
  const { body = '', isBase64Encoded } = event
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body
  let value: unknown
  try {
    value = text.trim() === '' ? {} : JSON.parse(text)
  } catch {
    throw new VerbatimError('bad-request', 'The body is not valid JSON.')
  }
  return parse(schema, value, 'body')
}

/** Checks a value from outside. The message names the fields and never repeats what they held. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const named = issues.map(({ path, message }) => `${[what, ...path.map(String)].join('.')}: ${message}`)
  throw new VerbatimError(codeOf(issues), named.slice(0, 5).join('; '))
}

function codeOf(issues: readonly z.core.$ZodIssue[]): ErrorCode {
  const [issue] = issues
  const code: unknown = issue?.code === 'custom' && issues.length === 1 ? issue.params?.code : undefined
  return typeof code === 'string' && code in ERRORS ? (code as ErrorCode) : 'bad-request'
}

function errorReply(thrown: unknown, requestId: string, log: Log): HttpReply {
  const error = toVerbatimError(thrown)
  const { code, message, hint, traits } = error
  if (traits.http >= 500) {
    const source = error.cause instanceof Error ? error.cause : error
    log.error('request failed', { code, stack: source.stack ?? '' })
  }
  const reply = json(traits.http, { error: { code, message, hint, requestId } } satisfies ErrorReply)
  if (code === 'unauthorized') reply.headers = { ...reply.headers, 'www-authenticate': 'Bearer' }
  return reply
}
