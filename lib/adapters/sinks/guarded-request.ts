import { lookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Answer, OutgoingRequest } from '../../core/webhooks/ports.ts'
import { isPublicAddress } from './addresses.ts'
import { type OutgoingRules, reachOf } from './outgoing-rules.ts'
import { retryAfterMs } from './retry-after.ts'

/** Wall time of a whole request, from the name's resolution to the answer's end. */
const REQUEST_MS = 10_000
/** So much of an answer is read, and thrown away: only its status counts. */
const MOST_ANSWER_BYTES = 64 * 1024

export interface Address {
  readonly address: string
  readonly family: number
}

export interface GuardOptions extends OutgoingRules {
  /** All addresses of a name. Left out: the system's resolver. */
  readonly resolve?: (hostname: string) => Promise<readonly Address[]>
  readonly timeoutMs?: number
}

/**
 * A POST to a URL that somebody else has chosen. It is made over node:http(s) on a connection of its own, to the very
 * addresses that were checked: a name is resolved once, so an answer that changes in between (DNS rebinding) has no
 * effect. Redirects are not followed, and proxies in the environment not used. What goes wrong comes back as a
 * failure; nothing of the URL or the answer is in it.
 */
export async function guardedPost(
  { url, headers, body, trusted }: OutgoingRequest,
  { resolve = resolveBySystem, timeoutMs = REQUEST_MS, ...rules }: GuardOptions = {},
): Promise<Answer> {
  const target = URL.canParse(url) ? new URL(url) : undefined
  const reach = target ? reachOf(target, trusted, rules) : 'refused'
  if (!target || reach === 'refused') return { failure: 'blocked' }
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const addresses = await untilAborted(addressesOf(target, resolve), signal)
    if (addresses.length === 0) return { failure: 'unreachable' }
    // One wrong address is one too many: nobody needs a name that leads both inside and outside.
    const wrong = reach === 'public' && !addresses.every(({ address }) => isPublicAddress(address))
    if (wrong) return { failure: 'blocked' }
    return await post(target, addresses, { headers, body, signal })
  } catch (thrown) {
    return { failure: signal.aborted ? 'timeout' : failureOf(thrown) }
  }
}

const resolveBySystem = (hostname: string): Promise<readonly Address[]> => lookup(hostname, { all: true })

async function addressesOf(
  { hostname }: URL,
  resolve: (hostname: string) => Promise<readonly Address[]>,
): Promise<readonly Address[]> {
  const host = withoutBrackets(hostname)
  const family = isIP(host)
  return family === 0 ? resolve(host) : [{ address: host, family }]
}

const withoutBrackets = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1')

function post(
  target: URL,
  addresses: readonly Address[],
  o: { headers: Readonly<Record<string, string>>; body: string; signal: AbortSignal },
): Promise<Answer> {
  const options: RequestOptions = {
    method: 'POST',
    hostname: withoutBrackets(target.hostname),
    port: target.port,
    path: target.pathname + target.search,
    headers: { ...o.headers, 'content-length': Buffer.byteLength(o.body) },
    lookup: always(addresses),
    // A connection of its own: one that is kept could have been made to another address of the same name.
    agent: false,
    signal: o.signal,
  }
  return new Promise((resolve, reject) => {
    let answer: Answer | undefined
    const request = (target.protocol === 'https:' ? httpsRequest : httpRequest)(options)
    request.on('response', (response) => {
      answer = answerOf(response)
      drain(response, () => resolve(answer!))
    })
    request.on('error', (error) => (answer ? resolve(answer) : reject(error)))
    // Without an answer or an error: a receiver that wants to speak another protocol, for one.
    request.on('close', () => resolve(answer ?? { failure: 'unreachable' }))
    request.end(o.body)
  })
}

const always =
  (addresses: readonly Address[]): LookupFunction =>
  (_hostname, { all }, callback) => {
    const [first] = addresses
    if (all) callback(null, [...addresses])
    else callback(null, first!.address, first!.family)
  }

function answerOf({ statusCode = 0, headers }: IncomingMessage): Answer {
  const retry = retryAfterMs(headers['retry-after'], Date.now())
  return { status: statusCode, ...(retry !== undefined && { retryAfterMs: retry }) }
}

/** An answer is polite to hear out, but not for ever. Its status is known, so how it ends does not matter. */
function drain(response: IncomingMessage, ended: () => void): void {
  let bytes = 0
  response.on('data', (data: Buffer) => {
    bytes += data.length
    if (bytes > MOST_ANSWER_BYTES) response.destroy()
  })
  response.on('error', () => undefined)
  response.on('close', ended)
}

/** Resolvers can't be aborted. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Codes of a handshake that fails or a certificate that is refused, https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const TLS = /CERT|SIGNATURE|^ERR_TLS|^ERR_SSL|^EPROTO$/

function failureOf(thrown: unknown): 'tls' | 'unreachable' {
  const code = (thrown as { code?: unknown } | null)?.code
  return typeof code === 'string' && TLS.test(code) ? 'tls' : 'unreachable'
}
