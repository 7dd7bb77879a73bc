import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'aws-lambda'
import type { AwsLog } from '../../lib/adapters/aws/logger.ts'
import { toVerbatimError, VerbatimError } from '../../lib/core/errors.ts'
import type { Log } from '../../lib/core/ports.ts'
import type { StreamHandler } from '../api/events.ts'
import { type HttpEvent, withErrors } from '../api/http.ts'
import { LIVE_ROUTES } from '../api/routes.ts'

/** What Lambda's Node runtime puts into the global scope. */
interface Runtime {
  streamifyResponse(
    handler: (event: HttpEvent, stream: Writable, context: Context) => Promise<void>,
  ): (event: HttpEvent, context: Context) => Promise<unknown>
  readonly HttpResponseStream: {
    from(stream: Writable, head: { statusCode: number; headers: Record<string, string> }): Writable
  }
}
declare const awslambda: Runtime

/** Each look costs some reads of the table, and every follower looks. */
const POLL_MS = 500
/** Enough to end the stream between two events. */
const RESERVE_MS = 5000

const { method, path } = LIVE_ROUTES.events
const PATH = new RegExp(`^${path.replace(/\{(\w+)\}/, '(?<$1>[^/]+)')}/?$`)

/**
 * A handler as Lambda calls it behind a function URL whose response is streamed. Before its time is up the stream ends,
 * and who follows comes again with Last-Event-ID. Lambda does not say when a client has gone.
 */
export const streamed = ({ begin, log }: Pick<AwsLog, 'begin'> & { log: Log }, handler: StreamHandler) =>
  awslambda.streamifyResponse(async (event, stream, context) => {
    begin(context)
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), context.getRemainingTimeInMillis() - RESERVE_MS)
    stream.once('close', () => stop.abort())
    const { signal } = stop
    try {
      const routed = asRoute(event)
      const reply = await (routed
        ? handler(routed, { pollMs: POLL_MS, signal })
        : withErrors({ log }, notFound)(event))
      const { statusCode = 200, headers = {}, body = '' } = reply
      const out = awslambda.HttpResponseStream.from(stream, {
        ...{ statusCode, headers: headers as Record<string, string> },
      })
      if (typeof body === 'string') {
        // Without a write there would be no head either.
        out.write(body)
      } else {
        for await (const piece of body) {
          if (signal.aborted) break
          if (!out.write(piece)) await drained(out, signal)
        }
      }
      out.end()
    } catch (thrown) {
      // The head has been sent; the stream ends, and who follows comes again.
      log.warn('stream broke off', { code: toVerbatimError(thrown).code })
      stream.end()
    } finally {
      clearTimeout(timer)
    }
  })

/** A function URL knows no routes: the event as an HTTP API would have sent it. */
function asRoute(event: HttpEvent): HttpEvent | undefined {
  const { sessionId } = PATH.exec(event.rawPath)?.groups ?? {}
  if (sessionId === undefined || event.requestContext.http.method !== method) return undefined
  return { ...event, routeKey: `${method} ${path}`, pathParameters: { sessionId: decoded(sessionId) } }
}

/** What is not properly encoded is no id of a session. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

async function notFound(): Promise<never> {
  throw new VerbatimError('not-found', 'There is no such path.', { hint: `Only ${method} ${path} is here.` })
}

/** Until the client has taken what was written; a client that takes nothing holds the stream up to its end. */
async function drained(out: Writable, signal: AbortSignal): Promise<void> {
  while (out.writableNeedDrain && !signal.aborted) await sleep(50)
}
