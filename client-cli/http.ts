import type { z } from 'zod'
import { ErrorReply } from '../lib/core/contract.ts'
import { ERRORS, type ErrorCode, VerbatimError } from '../lib/core/errors.ts'
import { type Pace, Refusal, retrying } from './retry.ts'

/** One answer to a question of the API must come within this time. */
const ANSWER_MS = 30_000

export interface Api {
  readonly pace: Pace
  readonly fetch: typeof fetch
  /**
   * Calls a route and checks the reply. Tries again while the service is away (Pace); so only calls that may be
   * repeated belong here. Throws VerbatimError with the service's own code, or `network`.
   */
  call<T>(method: string, path: string, options: CallOptions<T>): Promise<T>
  /** Opens a reply that goes on for long; tried once. `path` may be an address of its own. Throws as `call` does; what breaks later is not told here. */
  open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>
}

export interface CallOptions<T> {
  /** Null: the reply has no body. */
  readonly schema: z.ZodType<T> | null
  readonly body?: unknown
  /** A body that is no JSON; `headers` say what it is. */
  readonly bytes?: Uint8Array
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal | undefined
  /** In place of the Pace's, once the service has answered. */
  readonly patienceMs?: number
  /** Called before the second try and every later one. */
  onRetry?(): void
}

export function createApi(o: {
  url: string
  token?: string | undefined
  fetch: typeof fetch
  pace: Pace
}): Api {
  const base = o.url.replace(/\/+$/, '')
  let answered = false

  const identity = o.token ? { authorization: `Bearer ${o.token}` } : {}

  async function once<T>(method: string, path: string, options: CallOptions<T>): Promise<T> {
    const body = options.bytes ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
    const { status, headers, text } = await exchange(o.fetch, `${base}${path}`, {
      method,
      headers: {
        ...identity,
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body !== undefined && { body: body as Uint8Array<ArrayBuffer> | string }),
      signal: AbortSignal.any([AbortSignal.timeout(ANSWER_MS), ...(options.signal ? [options.signal] : [])]),
    })
    if (status >= 300) throw refusal(status, headers.get('retry-after'), text)
    answered = true
    return options.schema ? parsed(options.schema, text, base) : (undefined as T)
  }

  async function open(path: string, headers: Record<string, string>, signal: AbortSignal) {
    const url = URL.canParse(path) ? path : `${base}${path}`
    try {
      const response = await o.fetch(url, { headers: { ...identity, ...headers }, signal })
      if (response.ok) return response
      throw refusal(response.status, response.headers.get('retry-after'), await response.text())
    } catch (error) {
      throw networkError(error, url)
    }
  }

  return {
    pace: o.pace,
    fetch: o.fetch,
    open,
    call: (method, path, options) =>
      retrying(
        (n) => {
          if (n > 1) options.onRetry?.()
          return once(method, path, options)
        },
        {
          ...o.pace,
          tries: Number.POSITIVE_INFINITY,
          patienceMs: answered ? (options.patienceMs ?? o.pace.patienceMs) : o.pace.firstMs,
          signal: options.signal,
        },
      ),
  }
}

/** One HTTP exchange, read to its end. Throws `network` when there is no whole answer. */
async function exchange(doFetch: typeof fetch, url: string, init: RequestInit) {
  try {
    const response = await doFetch(url, init)
    return { status: response.status, headers: response.headers, text: await response.text() }
  } catch (error) {
    throw networkError(error, url)
  }
}

function parsed<T>(schema: z.ZodType<T>, text: string, base: string): T {
  const result = schema.safeParse(jsonOf(text))
  if (result.success) return result.data
  throw new VerbatimError(
    'internal',
    `What answers at ${placeOf(base)} does not speak Verbatim's language.`,
    {
      hint: 'Check the URL, and that the service and this client are of the same version.',
    },
  )
}

/** The error for a reply that is not a success, by the service's own code or else by the HTTP status. */
export function refusal(status: number, retryAfter: string | null, text: string): Refusal {
  const reply = ErrorReply.safeParse(jsonOf(text))
  const seconds = Number.parseInt(retryAfter ?? '', 10)
  const wait = Number.isNaN(seconds) ? {} : { retryAfterMs: Math.min(seconds, 60) * 1000 }
  if (!reply.success) {
    // No error of ours: something stands before the service, or it is another one.
    const hint = status === 404 ? { hint: 'Check the URL.' } : {}
    return new Refusal(codeOf(status), `The service answered ${status}.`, { ...wait, ...hint })
  }
  const { code, message, hint, requestId } = reply.data.error
  const known = code in ERRORS ? (code as ErrorCode) : codeOf(status)
  const told = known === 'internal' ? `${message} (requestId ${requestId})` : message
  return new Refusal(known, told, { ...wait, ...(hint !== undefined && { hint }) })
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  408: 'network',
  409: 'wrong-state',
  410: 'upload-expired',
  413: 'too-large',
  429: 'too-many-requests',
}

function codeOf(status: number): ErrorCode {
  return BY_STATUS[status] ?? (status >= 500 ? 'unavailable' : 'bad-request')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What Node's errno codes mean to the person who typed the URL. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at',
  ENOTFOUND: 'There is no host of that name:',
  EAI_AGAIN: 'The name could not be looked up:',
  EHOSTUNREACH: 'There is no way to',
  ENETUNREACH: 'There is no way to',
}

/** A `network` error that says in plain words what broke. Never holds the URL's path or query: they may be signed. */
export function networkError(thrown: unknown, url: string): VerbatimError {
  if (thrown instanceof VerbatimError) return thrown
  const code = errnoOf(thrown) ?? ''
  const place = placeOf(url)
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return new VerbatimError('network', `The certificate of ${place} is not trusted (${code}).`, {
      cause: thrown,
      hint: 'For an authority of your own, name its certificate in NODE_EXTRA_CA_CERTS.',
    })
  }
  const words = PLAIN_WORDS[code]
  const message = words ? `${words} ${place}.` : `The connection to ${place} broke${code && ` (${code})`}.`
  return new VerbatimError('network', message, { cause: thrown })
}

function placeOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the service'
}

function errnoOf(thrown: unknown): string | undefined {
  if (thrown === null || typeof thrown !== 'object') return undefined
  const { code, cause, errors, name } = thrown as Record<string, unknown>
  if (typeof code === 'string') return code
  if (name === 'TimeoutError') return 'ETIMEDOUT'
  return errnoOf(cause) ?? (Array.isArray(errors) ? errnoOf(errors[0]) : undefined)
}
