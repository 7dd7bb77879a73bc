import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { toVerbatimError, VerbatimError } from '../../core/errors.ts'
import { cancelled, throwIfCancelled } from './run.ts'

export interface Download {
  /** http(s):// or file:// */
  readonly url: string
  /** Where the whole, checked file appears, by a rename. */
  readonly target: string
  readonly sizeBytes: number
  readonly checksum: { readonly algorithm: 'sha1' | 'sha256'; readonly hex: string }
  readonly onProgress?: ((progress: { bytes: number; total: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Attempts in a row that bring no byte before it gives up. */
  readonly attempts?: number
  /** Wait before the second fruitless attempt; doubles with each further one. */
  readonly retryDelayMs?: number
  /** A connection that brings nothing for so long is broken. */
  readonly stallMs?: number
}

/**
 * Fetches a file. What has arrived is kept beside the target (`.part`) and the next attempt, or the next call,
 * goes on from there. Node's proxy variables hold where Node is told to look at them (NODE_USE_ENV_PROXY=1).
 *
 * Fails with `network` (broken connection, server error), `model-missing` (the server has no such file),
 * `model-corrupt` (other bytes than expected), `disk-full` or `cancelled` (signal).
 */
export async function download(job: Download): Promise<void> {
  await mkdir(dirname(job.target), { recursive: true })
  const part = `${job.target}.part`
  const resumed = await fetchPart(job, part)
  if (await isRight(job, part)) return await publish(part, job.target)
  await discard(part)
  if (resumed) return await download(job) // an old beginning with a new end: once more, from the start
  throw new VerbatimError('model-corrupt', 'What the server sent is not the file that was expected.', {
    hint: 'Try again; if it stays, use another source (VERBATIM_MODEL_URL).',
  })
}

/** Fetches until the server has sent all that it has. True if it went on from an earlier beginning. */
async function fetchPart(job: Download, part: string): Promise<boolean> {
  const { attempts = 6, retryDelayMs = 500, signal } = job
  const before = await sizeOf(part)
  for (let fruitless = 0; ; ) {
    throwIfCancelled(signal)
    const start = await sizeOf(part)
    if (start === job.sizeBytes) return before > 0
    if (start > job.sizeBytes) await discard(part)
    try {
      await fetchOnce(job, part)
      return before > 0 // complete in the server's eyes; the checksum decides
    } catch (error) {
      if (signal?.aborted) throw cancelled(signal)
      const final = finalError(error)
      if (final) throw final
      fruitless = (await sizeOf(part)) > start ? 0 : fruitless + 1
      if (fruitless >= attempts) throw unreachable(error)
    }
    const delayMs = fruitless === 0 ? 0 : retryDelayMs * 2 ** (fruitless - 1)
    await sleep(delayMs, undefined, { signal }).catch(() => {})
  }
}

async function fetchOnce(job: Download, part: string): Promise<void> {
  const stall = new AbortController()
  const timer = setTimeout(() => stall.abort(new Error('stalled')), job.stallMs ?? 30_000)
  const signal = job.signal ? AbortSignal.any([job.signal, stall.signal]) : stall.signal
  try {
    const { start, body } = await request(job, part, signal)
    const file = await open(part, start === 0 ? 'w' : 'a')
    try {
      let bytes = start
      for await (const piece of body) {
        timer.refresh()
        await file.write(piece)
        bytes += piece.byteLength
        job.onProgress?.({ bytes: Math.min(bytes, job.sizeBytes), total: job.sizeBytes })
        if (bytes > job.sizeBytes) break // never fill the disk with what cannot be right
      }
      await file.sync()
    } finally {
      await file.close()
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Asks for the missing rest; `start` is where the answer begins. */
async function request(job: Download, part: string, signal: AbortSignal) {
  if (job.url.startsWith('file:'))
    return { start: 0, body: createReadStream(fileURLToPath(job.url), { signal }) }
  const offset = await sizeOf(part)
  const etag = await readFile(`${part}.etag`, 'utf8').catch(() => '')
  const headers: Record<string, string> = { 'accept-encoding': 'identity' }
  if (offset > 0) headers.range = `bytes=${offset}-`
  if (offset > 0 && etag) headers['if-range'] = etag
  const response = await fetch(job.url, { headers, signal })
  if (response.status !== 206 && response.status !== 200) {
    await response.body?.cancel()
    if (response.status === 416) await discard(part)
    throw new HttpError(response.status)
  }
  if (!response.body) throw new HttpError(response.status)
  const from = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
  if (response.status === 206 && Number(from) !== offset) {
    await response.body.cancel()
    await discard(part)
    throw new HttpError(416)
  }
  // RFC 9110, 13.1.5: only a strong validator may guard a range.
  const validator = response.headers.get('etag') ?? ''
  await writeFile(`${part}.etag`, validator.startsWith('W/') ? '' : validator)
  return { start: response.status === 206 ? offset : 0, body: response.body }
}

class HttpError extends Error {
  readonly status: number
  constructor(status: number) {
    super(`HTTP ${status}`)
    this.status = status
  }
}

/** The error to give up with, or undefined where another attempt can help: broken connection, busy server. */
function finalError(error: unknown): VerbatimError | undefined {
  const missing = error instanceof HttpError ? isRefusal(error.status) : errno(error) === 'ENOENT'
  if (missing) {
    return new VerbatimError('model-missing', 'The server does not give this file out.', {
      hint: 'Check the name (`verbatim model list`) and VERBATIM_MODEL_URL.',
      cause: error,
    })
  }
  const known = toVerbatimError(error)
  return known.code === 'disk-full' ? known : undefined
}

/** 416: the range no longer fits, the next attempt begins anew; the others pass. */
const isRefusal = (status: number): boolean => status < 500 && ![408, 416, 425, 429].includes(status)

const errno = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

function unreachable(cause: unknown): VerbatimError {
  return new VerbatimError(
    'network',
    'The file could not be fetched: the connection failed again and again.',
    {
      hint: 'Check the network, a proxy (HTTPS_PROXY with NODE_USE_ENV_PROXY=1) or set VERBATIM_MODEL_URL; a repeated call goes on where this one stopped.',
      cause,
    },
  )
}

async function isRight(job: Download, part: string): Promise<boolean> {
  if ((await sizeOf(part)) !== job.sizeBytes) return false
  const hash = createHash(job.checksum.algorithm)
  for await (const piece of createReadStream(part, { highWaterMark: 1 << 20, signal: job.signal })) {
    hash.update(piece as Buffer)
  }
  return hash.digest('hex') === job.checksum.hex
}

async function publish(part: string, target: string): Promise<void> {
  await rename(part, target)
  await discard(part)
}

async function discard(part: string): Promise<void> {
  await rm(part, { force: true })
  await rm(`${part}.etag`, { force: true })
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (found) => found.size,
    () => 0,
  )
