import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { VerbatimError } from '../../lib/core/errors.ts'
import { ENOUGH_TO_LOOK, lookAt, readHeader } from '../../lib/core/live/container/look.ts'
import { pcmOfType } from '../../lib/core/live/container/pcm.ts'
import { UsageError } from '../failure.ts'
import { contentTypeOf } from '../media.ts'
import { openSource } from '../source.ts'
import { noStream } from './cut.ts'
import { hasFfmpeg, toWebm, WEBM_TYPE } from './ffmpeg.ts'
import { microphone } from './microphone.ts'

/** Sound as a stream that can be cut. */
export interface Input {
  /** What the stream is (container/look.ts). */
  readonly kind: string
  readonly contentType: string
  readonly stream: AsyncIterable<Uint8Array>
  /** The sound comes when it comes: nobody waits for us. */
  readonly live: boolean
}

export interface InputOptions {
  readonly from: { readonly path: string } | 'microphone'
  readonly stdin: NodeJS.ReadStream
  /** How to call ffmpeg. */
  readonly command: string
  readonly contentType?: string | undefined
  readonly device?: string | undefined
  /** Ends a source that would not end by itself; what it gave until then comes. */
  readonly stop: AbortSignal
}

/** Enough of a stream to know what it is. */
const PROBE_BYTES = 1024 ** 2

/**
 * Opens a source of sound. What is a stream already (WebM, Ogg, FLAC, MP3, raw PCM, fragmented MP4) is sent as it is;
 * everything else becomes WebM/Opus through ffmpeg. Without ffmpeg WAV goes as it is and the rest is refused with
 * `unsupported-audio`.
 */
export async function openInput(options: InputOptions): Promise<Input> {
  const { from, command, device, stop } = options
  if (from === 'microphone') {
    if (!(await hasFfmpeg(command)))
      throw noFfmpeg('The microphone is read through ffmpeg, and there is none.')
    return { ...WEBM, stream: microphone({ command, device, stop }), live: true }
  }
  const raw = from.path === '-' ? stdinOf(options.stdin, stop) : await fileOf(from.path)
  const contentType = options.contentType ?? contentTypeOf(from.path)
  const { kind, streams, rest } = await probe(raw, contentType)
  const live = from.path === '-'
  const converts = (!streams || kind === 'wav') && (await hasFfmpeg(command))
  if (converts) {
    const stdin = live ? Readable.from(rest, { objectMode: false }) : undefined
    const input = ['-i', live ? 'pipe:0' : `file:${from.path}`]
    if (!live) await rest.return?.()
    return { ...WEBM, live, stream: toWebm({ command, input, stdin, stop }) }
  }
  if (!streams || kind === undefined) {
    await rest.return?.()
    throw noStream()
  }
  return { kind, contentType: typeOf(kind, contentType), stream: rest, live }
}

const WEBM = { kind: 'webm', contentType: WEBM_TYPE }

const noFfmpeg = (message: string) =>
  new VerbatimError('bad-request', message, {
    hint: 'Install it (apt install ffmpeg, brew install ffmpeg, winget install ffmpeg), or name it in VERBATIM_FFMPEG.',
  })

/** What is sent about a container counts for nothing, so what is known of it is said. */
const typeOf = (kind: string, contentType: string): string =>
  pcmOfType(contentType) || contentType !== 'application/octet-stream'
    ? contentType
    : (TYPES[kind] ?? contentType)

const TYPES: Readonly<Record<string, string>> = {
  ...{ webm: 'audio/webm', ogg: 'audio/ogg', flac: 'audio/flac', wav: 'audio/wav', mp4: 'audio/mp4' },
  ...{ mpeg: 'audio/mpeg', amr: 'audio/amr' },
}

async function fileOf(path: string): Promise<AsyncIterable<Uint8Array>> {
  // Says what is wrong with it, in the words of an upload.
  await (await openSource(path)).close()
  return createReadStream(path)
}

async function* stdinOf(stdin: NodeJS.ReadStream, stop: AbortSignal): AsyncGenerator<Uint8Array, void> {
  if (stdin.isTTY) throw new UsageError('- reads a recording from stdin, but that is a terminal.')
  const end = () => stdin.destroy()
  stop.addEventListener('abort', end, { once: true })
  try {
    yield* stdin as AsyncIterable<Buffer>
  } catch (error) {
    if (!stop.aborted) throw error
  } finally {
    stop.removeEventListener('abort', end)
  }
}

/** Looks at the beginning of a stream; `rest` is all of it. */
async function probe(stream: AsyncIterable<Uint8Array>, contentType: string) {
  const source = stream[Symbol.asyncIterator]()
  const seen: Uint8Array[] = []
  let head: Uint8Array = new Uint8Array(0)
  let kind: string | undefined
  let header: ReturnType<typeof readHeader> = 'incomplete'
  while (header === 'incomplete' && head.length < PROBE_BYTES) {
    const next = await source.next()
    if (next.done) break
    seen.push(next.value)
    head = Buffer.concat([head, next.value])
    if (head.length < ENOUGH_TO_LOOK) continue
    kind = lookAt(head, contentType)
    if (kind !== undefined) header = readHeader(kind, head)
    else if (head.length > 4096) break
  }
  if (head.length === 0) throw new VerbatimError('empty-audio', 'The recording is empty.')
  return { kind, streams: typeof header !== 'string', rest: rejoined(seen, source) }
}

async function* rejoined(
  seen: readonly Uint8Array[],
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* seen
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
  } finally {
    await source.return?.()
  }
}
