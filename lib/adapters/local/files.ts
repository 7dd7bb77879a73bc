import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { copyFile, link, open, opendir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalFile } from '../../core/ports.ts'

export type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Bytes that are on the disk to stay, not yet an object: that takes a row in the database. */
export interface WrittenFile {
  readonly file: string
  readonly sizeBytes: number
  /** Hex. */
  readonly md5: string
}

/** The folder of an object store's bytes. Every file is written once, under a random name, and never changed. */
export type Files = ReturnType<typeof createFiles>

/**
 * `data/` holds the files, `pins/` extra names of files that somebody is using (`pin`).
 *
 * A file counts only once a row names it, and its name is never used again; so there is nothing to replace and no
 * need to write aside and rename: a crash before the row leaves a file that nobody reads and `sweep` deletes.
 */
export function createFiles(folder: string) {
  const data = join(folder, 'data')
  const pins = join(folder, 'pins')
  for (const each of [data, pins]) mkdirSync(each, { recursive: true, mode: 0o700 })
  const path = (file: string) => join(data, file)

  /** Writes all of `source` in constant memory. Durable when it resolves; when it fails, nothing is left. */
  async function write(source: Source): Promise<WrittenFile> {
    const file = randomUUID()
    const { measured, result } = measure(source)
    try {
      const handle = await open(path(file), 'wx', 0o600)
      try {
        await handle.writeFile(measured)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await syncFolder(data)
    } catch (thrown) {
      await rm(path(file), { force: true })
      throw thrown
    }
    return { file, ...result() }
  }

  /** Another name for a file, which keeps its bytes until it is released, even when the object is removed. */
  async function pin(file: string): Promise<LocalFile> {
    const pinned = join(pins, randomUUID())
    await link(path(file), pinned).catch((thrown: unknown) => {
      if (!NO_LINKS.has((thrown as { code: string }).code)) throw thrown
      return copyFile(path(file), pinned)
    })
    return { path: pinned, release: () => rm(pinned, { force: true }) }
  }

  return {
    path,
    write,
    pin,
    exists: (file: string) => existsSync(path(file)),
    removeSync: (file: string) => rmSync(path(file), { force: true }),
    remove: async (files: readonly string[]) => {
      for (const file of files) await rm(path(file), { force: true })
    },
    all: () => namesIn(data),
    async removePins() {
      for await (const name of namesIn(pins)) await rm(join(pins, name), { force: true })
    },
  }
}

/** File systems without hard links (exFAT, some network shares) answer with one of these. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])

/** The same bytes, counted and digested on their way. */
function measure(source: Source) {
  const hash = createHash('md5')
  let sizeBytes = 0
  async function* measured() {
    for await (const bytes of source) {
      hash.update(bytes)
      sizeBytes += bytes.length
      yield bytes
    }
  }
  return { measured: measured(), result: () => ({ sizeBytes, md5: hash.digest('hex') }) }
}

/** A new name is durable only when its folder is (fsync(2), Notes). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function* namesIn(folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(folder)) yield entry.name
}
