import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { VerbatimError } from '../../lib/core/errors.ts'
import { clean } from '../text.ts'

/**
 * Speech for the network: WebM/Opus, one channel, 32 kbit/s (RFC 7587, 3.1.1 has 16–24 for wide-band and 28–40 for
 * full-band speech). Clusters of a second are written as soon as they are full.
 */
const TO_WEBM = [
  ...[
    '-map',
    '0:a:0',
    '-vn',
    '-sn',
    '-dn',
    '-map_metadata',
    '-1',
    '-ac',
    '1',
    '-c:a',
    'libopus',
    '-b:a',
    '32k',
  ],
  ...['-f', 'webm', '-live', '1', '-cluster_time_limit', '1000', '-flush_packets', '1', 'pipe:1'],
]
export const WEBM_TYPE = 'audio/webm;codecs=opus'

/** Files and pipes alone: nothing in a recording makes ffmpeg ask the network. */
const QUIET = ['-hide_banner', '-loglevel', 'error', '-protocol_whitelist', 'file,pipe,fd']

export async function hasFfmpeg(command: string): Promise<boolean> {
  const child = spawn(command, ['-version'], { stdio: 'ignore', windowsHide: true })
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}

export interface FfmpegOptions {
  readonly command: string
  /** Everything up to and with `-i`. */
  readonly input: readonly string[]
  /** What `pipe:0` reads. */
  readonly stdin?: Readable | undefined
  /** Ends it in order: what it has heard so far comes, then the stream ends. */
  readonly stop: AbortSignal
}

/** What ffmpeg makes of an input, as a WebM stream. Throws `bad-audio` with its last words when it fails. */
export async function* toWebm({ command, input, stdin, stop }: FfmpegOptions): AsyncGenerator<Buffer, void> {
  if (stop.aborted) return
  // A group of its own: Ctrl-C of a terminal goes to us alone, and we end it in order.
  const child = spawn(command, [...QUIET, ...input, ...TO_WEBM], {
    ...{
      stdio: ['pipe', 'pipe', 'pipe'] as const,
      windowsHide: true,
      detached: process.platform !== 'win32',
    },
  })
  const kill = () => child.kill('SIGKILL')
  const end = () => child.kill('SIGINT')
  process.once('exit', kill)
  stop.addEventListener('abort', end, { once: true })
  const exit = once(child, 'close') as Promise<[code: number | null]>
  exit.catch(() => {})
  const lastWords = listen(child.stderr)
  // A child that ends before it has read everything is no fault of ours.
  child.stdin.on('error', () => {})
  if (stdin) stdin.pipe(child.stdin)
  else child.stdin.end()
  try {
    yield* child.stdout
    const [code] = await exit
    if (code !== 0 && !stop.aborted) throw failed(lastWords())
  } catch (error) {
    throw error instanceof VerbatimError
      ? error
      : failed(String((error as NodeJS.ErrnoException).code ?? ''), error)
  } finally {
    stop.removeEventListener('abort', end)
    process.off('exit', kill)
    stdin?.unpipe(child.stdin)
    kill()
  }
}

function listen(stream: NonNullable<ChildProcess['stderr']>): () => string {
  let text = ''
  stream.on('data', (piece: Buffer) => {
    text = (text + piece.toString('utf8')).slice(-2000)
  })
  return () => text.trim().split('\n').at(-1) ?? ''
}

const failed = (words: string, cause?: unknown) =>
  new VerbatimError('bad-audio', `ffmpeg gave no sound${words && `: ${clean(words)}`}`, {
    hint: 'Check that the recording plays and has sound.',
    cause,
  })
