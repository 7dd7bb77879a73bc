import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, ObjectInfo, ObjectStore } from '../../core/ports.ts'
import { translateErrors } from '../translate-errors.ts'
import type { Database } from './database.ts'
import { createFiles, type Source } from './files.ts'
import { createMultipart } from './multipart.ts'
import { checkKey } from './object-key.ts'
import { createObjectRows, type StoredObject } from './object-rows.ts'
import type { Presigner } from './presign.ts'
import type { EventTarget } from './s3-event.ts'
import { errno, storageError } from './storage-error.ts'

/** Uploads in parts that nobody has completed are given up after this long. */
const STALE_UPLOAD_MS = 7 * 24 * 60 * 60 * 1000

export interface ObjectStoreOptions {
  readonly dataDir: string
  readonly presigner: Presigner
  /** Left out: nothing is announced. */
  readonly events?: EventTarget
  readonly clock?: Clock
}

/** The port, and what the HTTP side and the host's start need besides. */
export interface LocalObjectStore extends ObjectStore {
  /** Like `put`, in constant memory. Nothing is stored when `source` fails. Returns the ETag. */
  write(key: string, contentType: string, source: Source): Promise<string>
  /** Stores a part of an upload. `not-found` when the upload is unknown. Returns the ETag. */
  writePart(key: string, uploadId: string, partNumber: number, source: Source): Promise<string>
  /** The object opened for reading, which a later write or removal does not disturb; the caller closes it. */
  open(key: string): Promise<{ info: ObjectInfo; handle: FileHandle } | undefined>
  /**
   * Deletes what a crash has left: files without an object, pins, and uploads in parts older than 7 days. Only for
   * the host at its start, holding the folder's lock: a file that is in use by `toFile` would go too.
   */
  sweep(): Promise<{ files: number; uploads: number }>
}

/** Objects as files in `<dataDir>/objects`; the database says which file is which key. */
export function createObjectStore(
  db: Database,
  { dataDir, presigner, events, clock = Date.now }: ObjectStoreOptions,
): LocalObjectStore {
  const files = createFiles(join(dataDir, 'objects'))
  const rows = createObjectRows(db, files, clock, events)
  const multipart = createMultipart(db, files, rows, clock)

  /** Runs `use` on an object. Its file may go while it is opened, when the object is replaced: then look again. */
  async function withObject<T>(
    key: string,
    use: (object: StoredObject) => Promise<T>,
  ): Promise<T | undefined> {
    for (;;) {
      const object = rows.find(key)
      if (!object) return undefined
      try {
        return await use(object)
      } catch (thrown) {
        if (errno(thrown) !== 'ENOENT' || rows.find(key)?.file === object.file) throw thrown
      }
    }
  }

  async function write(key: string, contentType: string, source: Source): Promise<string> {
    checkKey(key)
    const written = await files.write(source)
    const etag = `"${written.md5}"`
    await rows.commit({ key, contentType, etag, written, by: 'Put' })
    return etag
  }

  async function sweep() {
    const uploads = await multipart.expire(clock() - STALE_UPLOAD_MS)
    await files.removePins()
    let count = 0
    for await (const file of files.all()) if (rows.removeIfUnknown(file)) count++
    return { files: count, uploads }
  }

  const store: LocalObjectStore = {
    write,
    sweep,
    writePart: multipart.putPart,
    open: (key) =>
      withObject(key, async (object) => ({
        info: infoOf(object),
        handle: await open(files.path(object.file)),
      })),

    async put(key, body, contentType) {
      await write(key, contentType, [typeof body === 'string' ? Buffer.from(body) : body])
    },
    async putStream(key, source, contentType) {
      await write(key, contentType, source)
    },
    get: (key) => withObject(key, ({ file }) => readFile(files.path(file))),
    async head(key) {
      const object = rows.find(key)
      return object && infoOf(object)
    },
    list: async (prefix) => rows.list(prefix),
    remove: rows.remove,
    toFile: (key) => withObject(key, ({ file }) => files.pin(file)),

    presignPut: async ({ key, contentType, sizeBytes, expiresAt }) =>
      presigner.sign({ method: 'PUT', key: checkKey(key), expiresAt, length: sizeBytes, type: contentType }),
    presignGet: async ({ key, contentType, filename, expiresAt }) =>
      presigner.sign({ method: 'GET', key: checkKey(key), expiresAt, type: contentType, filename }),
    presignPart: async ({ key, uploadId, partNumber, sizeBytes, expiresAt }) =>
      presigner.sign({ method: 'PUT', key, expiresAt, length: sizeBytes, uploadId, part: partNumber }),

    startMultipart: async ({ key, contentType }) => multipart.start(checkKey(key), contentType),
    listParts: async (key, uploadId) =>
      multipart
        .list(key, uploadId)
        .map(({ partNumber, etag, sizeBytes }) => ({ partNumber, etag, sizeBytes })),
    completeMultipart: multipart.complete,
    abortMultipart: multipart.abort,
  }
  return translateErrors(store, storageError)
}

const infoOf = ({ key, sizeBytes, contentType, etag }: StoredObject): ObjectInfo => ({
  key,
  sizeBytes,
  contentType,
  etag,
})
