import type { Context } from '../context.ts'
import { lengthText } from '../text.ts'
import { ahead } from './ahead.ts'
import { cut, type Piece } from './cut.ts'
import type { Input } from './input.ts'
import { paced } from './pace.ts'
import type { Screen } from './screen.ts'
import { playSpeakers, type SpeakerLine } from './speakers.ts'

export interface StreamOptions {
  readonly sessionId: string
  readonly chunkMs: number
  /** Times as fast as the clock; infinite: as fast as it goes. */
  readonly speed: number
  readonly language?: string | undefined
  readonly speakers: readonly SpeakerLine[]
  /** Ends the sound in order: what was heard until then is sent. */
  readonly stop: AbortSignal
  /** Ends the sending at once. */
  readonly signal: AbortSignal
  /** The service has taken the first chunk: now there is a session. */
  onBegin(): void
}

/** Sound that does not wait for us is kept so long: over an hour of Opus, six minutes of plain 16-bit stereo. */
const MOST_WAITING = 64_000_000

/** Sends all sound of an input in order, each chunk until it is taken, and names at their time. Returns how many. */
export async function streamSound(
  { client, out }: Context,
  input: Input,
  screen: Screen,
  options: StreamOptions,
): Promise<number> {
  const { sessionId, language, signal, stop } = options
  const beginMs = Date.now()
  const done = new AbortController()
  const silence = AbortSignal.any([done.signal, stop])
  const names = playSpeakers(
    options.speakers,
    beginMs,
    (name, at) => client.live.speaker(sessionId, name, at, AbortSignal.any([silence, signal])),
    silence,
  ).catch(() => {
    if (!silence.aborted) out.warn('A name could not be sent: from here on names are missing.')
  })
  let seq = 0
  try {
    for await (const { bytes, endMs } of piecesOf(input, beginMs, options)) {
      const sent = `${lengthText(endMs)} sent`
      const onRetry = () => screen.status(`${sent}, the service is away: trying again`)
      const chunk = { seq, bytes, contentType: input.contentType, language }
      await client.live.send(sessionId, chunk, { signal, onRetry })
      if (seq++ === 0) options.onBegin()
      screen.status(`${sent} · Ctrl-C ends the session`)
    }
  } finally {
    done.abort()
    await names
  }
  return seq
}

function piecesOf(
  input: Input,
  beginMs: number,
  { chunkMs, speed, stop }: StreamOptions,
): AsyncIterable<Piece> {
  const pieces = cut(input.stream, { kind: input.kind, chunkMs })
  const kept = input.live ? ahead(pieces, MOST_WAITING) : pieces
  return Number.isFinite(speed) ? paced(kept, { beginMs, speed, stop }) : kept
}
