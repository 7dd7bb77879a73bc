import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { toVerbatimError } from '../../core/errors.ts'

/** Decoded sound has 16 samples a millisecond, of two bytes each. */
export const SAMPLES_PER_MS = 16
const SAMPLE_BYTES = 2

const NAME = /^pcm-(\d+)-[0-9a-f]{16}$/
/** Files of this process that are being opened right now. */
const opening = new Set<string>()

/**
 * One file of 16-bit samples per channel. The files have no name once they are open: whatever happens to this
 * process, the system takes their space back. Nothing is synced: after a crash nobody wants them.
 */
export class Spool {
  readonly #files: FileHandle[]
  readonly #samples: number[]

  private constructor(files: FileHandle[]) {
    this.#files = files
    this.#samples = files.map(() => 0)
  }

  /** Fails with `disk-full`. */
  static async create(dir: string, channels: number): Promise<Spool> {
    const files: FileHandle[] = []
    try {
      await mkdir(dir, { recursive: true })
      while (files.length < channels) files.push(await openNameless(dir))
      return new Spool(files)
    } catch (thrown) {
      await Promise.all(files.map((file) => file.close()))
      throw toVerbatimError(thrown)
    }
  }

  get channels(): number {
    return this.#files.length
  }

  get durationMs(): number {
    return Math.round((this.#samples[0] ?? 0) / SAMPLES_PER_MS)
  }

  /** Adds samples to the end of a channel. Fails with `disk-full`. */
  async append(channel: number, pcm16: Int16Array): Promise<void> {
    const bytes = new Uint8Array(pcm16.buffer, pcm16.byteOffset, pcm16.byteLength)
    const at = this.#samples[channel]! * SAMPLE_BYTES
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#files[channel]!.write(
          bytes,
          done,
          bytes.length - done,
          at + done,
        )
        done += bytesWritten
      }
    } catch (thrown) {
      throw toVerbatimError(thrown)
    }
    this.#samples[channel] = this.#samples[channel]! + pcm16.length
  }

  /** Samples from `startMs` to `endMs`, clipped to what there is. */
  async read(channel: number, startMs: number, endMs: number): Promise<Int16Array> {
    const file = this.#files[channel]
    if (!file) throw new RangeError(`There is no channel ${channel}, or the recording was disposed of.`)
    const clip = (ms: number): number =>
      Math.max(0, Math.min(this.#samples[channel]!, Math.round(ms * SAMPLES_PER_MS)))
    const from = clip(startMs)
    const samples = new Int16Array(Math.max(0, clip(endMs) - from))
    const bytes = new Uint8Array(samples.buffer)
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, from * SAMPLE_BYTES + done)
      if (bytesRead === 0) throw toVerbatimError(new Error('The spool is shorter than what was written.'))
      done += bytesRead
    }
    return samples
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#files.splice(0).map((file) => file.close()))
  }
}

async function openNameless(dir: string): Promise<FileHandle> {
  const name = `pcm-${process.pid}-${randomBytes(8).toString('hex')}`
  opening.add(name)
  try {
    const file = await open(join(dir, name), 'wx+', 0o600)
    try {
      await unlink(join(dir, name))
      return file
    } catch (thrown) {
      await file.close()
      throw thrown
    }
  } finally {
    opening.delete(name)
  }
}

/**
 * Removes what processes left in `dir` that died between opening a file and taking its name away. To be called at
 * start-up. Returns how many there were.
 */
export async function sweepScratch(dir: string): Promise<number> {
  const names = await readdir(dir).catch(() => [])
  const stale = names.filter((name) => {
    const pid = Number(NAME.exec(name)?.[1])
    // In a container every run may have the same pid: our own files are those being opened now, no others.
    return pid > 0 && (pid === process.pid ? !opening.has(name) : !isAlive(pid))
  })
  await Promise.all(stale.map((name) => unlink(join(dir, name)).catch(() => undefined)))
  return stale.length
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}
