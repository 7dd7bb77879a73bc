import { createWriteStream, rmSync } from 'node:fs'
import { type FileHandle, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { VerbatimError } from '../lib/core/errors.ts'
import { contentTypeOf } from './media.ts'
import { wavLengthMs } from './wav-length.ts'

/** One read from disk; also what a PUT holds in memory. */
const PIECE_BYTES = 256 * 1024

/** A recording on its way up: a file that is held open, so that it may be renamed or deleted meanwhile. */
export interface Source {
  readonly filename: string
  readonly contentType: string
  readonly sizeBytes: number
  /** Of a WAV file, whose header says it. */
  readonly durationMs?: number | undefined
  /**
   * The bytes from `start` on. A piece is valid until the next is asked for. Throws `upload-incomplete` before the
   * last piece if the file was written to since it was opened, so that a mixture is never sent whole.
   */
  read(start: number, length: number): AsyncGenerator<Uint8Array>
  close(): Promise<void>
}

/** Opens a file. Throws `not-found`, `empty-audio`, `bad-request` (a directory, unreadable). */
export async function openSource(path: string, filename = basename(path)): Promise<Source> {
  const kind = await statOf(path)
  if (kind.isFIFO()) return fifo(path, filename)
  if (!kind.isFile()) {
    const what = kind.isDirectory() ? 'This is a directory' : 'This is no regular file'
    throw new VerbatimError('bad-request', `${what}, not a recording.`, { hint: 'Name a file.' })
  }
  return held(await open(path, 'r').catch(unreadable), filename, async () => {})
}

/** Keeps a stream of unknown length (stdin) in a temporary file, since an upload must say its size beforehand. */
export async function spoolSource(stream: Readable, filename: string, signal?: AbortSignal): Promise<Source> {
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-'))
  const removeNow = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeNow)
  const dispose = async () => {
    process.off('exit', removeNow)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const path = join(folder, 'recording')
    await pipeline(stream, createWriteStream(path, { mode: 0o600 }), signal ? { signal } : {}).catch(noRoom)
    return await held(await open(path, 'r'), filename, dispose)
  } catch (error) {
    await dispose()
    signal?.throwIfAborted()
    throw error
  }
}

async function fifo(path: string, filename: string): Promise<Source> {
  const handle = await open(path, 'r').catch(unreadable)
  return spoolSource(handle.createReadStream(), filename)
}

async function held(handle: FileHandle, filename: string, dispose: () => Promise<void>): Promise<Source> {
  const before = await handle.stat()
  if (before.size === 0) {
    await handle.close()
    throw new VerbatimError('empty-audio', 'The file is empty.')
  }
  const changed = async () => {
    const now = await handle.stat()
    return now.size !== before.size || now.mtimeMs !== before.mtimeMs
  }
  const readAt = async (at: number, length: number) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at)
    return buffer.subarray(0, bytesRead)
  }
  return {
    filename: filename.trim() === '' ? 'recording' : filename,
    contentType: contentTypeOf(filename),
    sizeBytes: before.size,
    durationMs: await wavLengthMs(readAt, before.size).catch(() => undefined),
    async *read(start, length) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, length))
      const end = start + length
      for (let at = start; at < end; ) {
        const { bytesRead } = await handle
          .read(piece, 0, Math.min(piece.length, end - at), at)
          .catch(unreadable)
        at += bytesRead
        if (bytesRead === 0 || (at === end && (await changed()))) throw changedMeanwhile()
        yield piece.subarray(0, bytesRead)
      }
    },
    async close() {
      await handle.close()
      await dispose()
    },
  }
}

const changedMeanwhile = () =>
  new VerbatimError('upload-incomplete', 'The file was changed while it was being uploaded.', {
    hint: 'Wait until it is written to its end, then upload it again.',
  })

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return unreadable(error)
    throw new VerbatimError('not-found', 'There is no such file.', { hint: 'Check the path.', cause: error })
  }
}

function unreadable(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException
  throw new VerbatimError('bad-request', `The file cannot be read${code ? ` (${code})` : ''}.`, {
    hint: 'Check its permissions and the disk.',
    cause: error,
  })
}

function noRoom(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  throw new VerbatimError(
    'disk-full',
    'There is no room for the recording in the folder for temporary files.',
    {
      hint: 'Free some disk space here, or point TMPDIR to a larger disk.',
      cause: error,
    },
  )
}
