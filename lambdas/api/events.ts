import { sessionOf } from '../../lib/core/live/10-read.ts'
import { follow, hasAll, type LiveEvent } from '../../lib/core/live/11-follow.ts'
import type { LivePorts } from '../../lib/core/live/ports.ts'
import { forCallers, type HttpEvent, type HttpPorts, type HttpReply } from './http.ts'

export interface EventsOptions {
  readonly pollMs: number
  /** Ends the stream; who follows comes again with Last-Event-ID. */
  readonly signal: AbortSignal
}

/** A reply whose body is still being written. */
export type StreamedReply = Omit<HttpReply, 'body'> & { readonly body: AsyncGenerator<string, void> }

export type StreamHandler = (event: HttpEvent, options: EventsOptions) => Promise<HttpReply | StreamedReply>

const EVENT_STREAM = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // For proxies that would keep pieces back (nginx).
  'x-accel-buffering': 'no',
}

/**
 * GET /api/transcriptions/{sessionId}/events: server-sent events (WHATWG HTML, 9.2). What is wrong with the request is
 * said before the stream begins. 204, which ends the attempts of an event source, to who has had all of a closed session.
 */
export const eventsHandler =
  (ports: HttpPorts & Pick<LivePorts, 'sessions' | 'clock'>): StreamHandler =>
  async (event, { pollMs, signal }) => {
    let body: AsyncGenerator<string, void> | undefined
    const begin = forCallers(ports, async ({ tenant }) => {
      const ref = { tenant, sessionId: event.pathParameters?.sessionId ?? '' }
      const lastId = event.headers['last-event-id']
      if (hasAll(await sessionOf(ports, ref), lastId)) return { statusCode: 204 }
      body = asText(follow(ports, ref, { lastId, pollMs, pause: (ms) => sleep(ms, signal) }))
      return { statusCode: 200, headers: EVENT_STREAM }
    })
    const reply = await begin(event)
    return body ? { ...reply, body } : reply
  }

async function* asText(events: AsyncIterable<LiveEvent>): AsyncGenerator<string, void> {
  // How soon a browser comes again after a break.
  yield 'retry: 1000\n\n'
  for await (const it of events) {
    yield it.event === 'ping'
      ? ': still here\n\n'
      : `id: ${it.id}\nevent: ${it.event}\ndata: ${JSON.stringify(it.data)}\n\n`
  }
}

/** False when `signal` ended it. */
function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const done = (inTime: boolean) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stopped)
      resolve(inTime)
    }
    const stopped = () => done(false)
    const timer = setTimeout(() => done(true), ms)
    signal.addEventListener('abort', stopped, { once: true })
  })
}
