import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { StreamedReply, StreamHandler } from '../lambdas/api/events.ts'
import type { HttpEvent, HttpReply } from '../lambdas/api/http.ts'
import { toVerbatimError } from '../lib/core/errors.ts'
import type { Log } from '../lib/core/ports.ts'
import { sendReply } from './http-event.ts'

/** How soon who follows learns of a new word: an eighth of a second in the middle, for two small reads a look. */
const POLL_MS = 250

export interface StreamOptions {
  /** The service is about to end. */
  readonly stop?: AbortSignal | undefined
  readonly log: Log
}

/**
 * Answers with a stream, piece by piece as the client takes them. Resolves when it has ended, however: by itself, with
 * the connection, or with the service.
 */
export async function sendStream(
  res: ServerResponse,
  handler: StreamHandler,
  event: HttpEvent,
  { stop, log }: StreamOptions,
): Promise<void> {
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  const signal = stop ? AbortSignal.any([stop, gone.signal]) : gone.signal
  const reply = await handler(event, { pollMs: POLL_MS, signal })
  if (!isStream(reply)) return sendReply(res, reply)
  const { statusCode = 200, headers = {}, body } = reply
  res.writeHead(statusCode, headers as Record<string, string>)
  try {
    // HEAD asks for the headers alone.
    if (res.req.method !== 'HEAD') await pipe(body, res, signal)
  } catch (thrown) {
    // The status has been sent; the stream ends, and who follows comes again.
    if (!signal.aborted) log.warn('stream broke off', { code: toVerbatimError(thrown).code })
  } finally {
    await body.return()
    res.end()
  }
}

const isStream = (reply: HttpReply | StreamedReply): reply is StreamedReply => typeof reply.body === 'object'

async function pipe(body: AsyncGenerator<string>, res: ServerResponse, signal: AbortSignal): Promise<void> {
  res.flushHeaders()
  for await (const piece of body) {
    if (signal.aborted) return
    if (!res.write(piece)) await once(res, 'drain', { signal })
  }
}
