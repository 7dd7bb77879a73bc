import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { VerbatimError } from '../../core/errors.ts'
import type { Clock, PartRef } from '../../core/ports.ts'
import type { Database } from './database.ts'
import type { Files, Source, WrittenFile } from './files.ts'
import type { ObjectRows } from './object-rows.ts'

/** Every part but the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_PART_BYTES = 5 * 1024 * 1024

interface Part extends PartRef {
  readonly sizeBytes: number
  readonly file: string
  readonly md5: string
}

/** Uploads in parts: each part is a file of its own until all are joined. */
export type Multipart = ReturnType<typeof createMultipart>

export function createMultipart(db: Database, files: Files, rows: ObjectRows, clock: Clock) {
  const q = statements(db)

  const contentTypeOf = (key: string, uploadId: string): string | undefined => {
    const row = q.upload.get(uploadId, key)
    return row && String(row.content_type)
  }

  const partsOf = (uploadId: string): Part[] =>
    q.parts.all(uploadId).map((row) => {
      const md5 = String(row.md5)
      const { part_number, size_bytes, file } = row
      return {
        partNumber: Number(part_number),
        etag: `"${md5}"`,
        sizeBytes: Number(size_bytes),
        file: String(file),
        md5,
      }
    })

  /** Forgets an upload and returns the files of its parts; call it in a transaction. */
  function forget(uploadId: string): string[] {
    const parts = partsOf(uploadId).map((part) => part.file)
    q.erase.run(uploadId)
    return parts
  }

  async function complete(key: string, uploadId: string, wanted: readonly PartRef[]): Promise<void> {
    const contentType = db.read(() => contentTypeOf(key, uploadId))
    // An upload that is no longer known was completed before, if the object is there.
    if (contentType === undefined && rows.find(key)) return
    if (contentType === undefined) throw incomplete('There is no such upload.')
    const parts = chosen(
      wanted,
      db.read(() => partsOf(uploadId)),
    )
    const written = await join(parts)
    let used: string[] = []
    const object = { key, contentType, etag: etagOf(parts), written, by: 'CompleteMultipartUpload' } as const
    try {
      await rows.commit(object, () => {
        if (contentTypeOf(key, uploadId) === undefined) throw incomplete('The upload has ended meanwhile.')
        used = forget(uploadId)
      })
    } catch (thrown) {
      // Somebody else completed the same upload while this call was joining its parts.
      if (db.read(() => contentTypeOf(key, uploadId)) === undefined && rows.find(key)) return
      throw thrown
    }
    await files.remove(used)
  }

  /** A part that was aborted or sent again while it was being read cannot be joined. */
  async function join(parts: readonly Part[]): Promise<WrittenFile> {
    try {
      return await files.write(concatenation(parts.map((part) => files.path(part.file))))
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code === 'ENOENT') throw incomplete('A part was replaced meanwhile.')
      throw thrown
    }
  }

  return {
    complete,
    start(key: string, contentType: string): string {
      const uploadId = randomBytes(16).toString('hex')
      db.transaction(() => q.start.run(uploadId, key, contentType, clock()))
      return uploadId
    },

    /** Stores a part, replacing an earlier one with its number. Returns its ETag. */
    async putPart(key: string, uploadId: string, partNumber: number, source: Source): Promise<string> {
      if (db.read(() => contentTypeOf(key, uploadId)) === undefined) throw noSuchUpload()
      const written = await files.write(source)
      let old: string[]
      try {
        old = db.transaction(() => {
          if (contentTypeOf(key, uploadId) === undefined || !files.exists(written.file)) throw noSuchUpload()
          const before = q.part.get(uploadId, partNumber)
          q.putPart.run(uploadId, partNumber, written.file, written.sizeBytes, written.md5)
          return before ? [String(before.file)] : []
        })
      } catch (thrown) {
        await files.remove([written.file])
        throw thrown
      }
      await files.remove(old)
      return `"${written.md5}"`
    },

    /** Nothing for an upload that is not known (any more). */
    list(key: string, uploadId: string): Part[] {
      return db.read(() => (contentTypeOf(key, uploadId) === undefined ? [] : partsOf(uploadId)))
    },

    async abort(key: string, uploadId: string): Promise<void> {
      const known = () => contentTypeOf(key, uploadId) !== undefined
      await files.remove(db.transaction(() => (known() ? forget(uploadId) : [])))
    },

    /** Forgets the uploads that were started before `time`; returns how many. */
    async expire(time: number): Promise<number> {
      const uploads = db.read(() => q.startedBefore.all(time)).map((row) => String(row.upload_id))
      for (const uploadId of uploads) await files.remove(db.transaction(() => forget(uploadId)))
      return uploads.length
    },
  }
}

/** The stored parts that `wanted` names. Fails with `upload-incomplete` unless they make up an object. */
function chosen(wanted: readonly PartRef[], stored: readonly Part[]): Part[] {
  if (wanted.length === 0) throw incomplete('The upload has no parts.')
  return wanted.map(({ partNumber, etag }, index) => {
    const part = stored.find((each) => each.partNumber === partNumber)
    if (!part || part.md5 !== etag.replaceAll('"', '')) throw incomplete(`Part ${partNumber} is missing.`)
    if (index > 0 && partNumber <= wanted[index - 1]!.partNumber)
      throw incomplete('The parts are not in order.')
    if (index < wanted.length - 1 && part.sizeBytes < MIN_PART_BYTES) {
      throw incomplete(`Part ${partNumber} is shorter than 5 MiB.`)
    }
    return part
  })
}

/** As S3 makes it: MD5 over the parts' MD5s, and their number. */
function etagOf(parts: readonly Part[]): string {
  const hash = createHash('md5')
  for (const { md5 } of parts) hash.update(md5, 'hex')
  return `"${hash.digest('hex')}-${parts.length}"`
}

async function* concatenation(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) yield* createReadStream(path, { highWaterMark: 1024 * 1024 })
}

const incomplete = (message: string) => new VerbatimError('upload-incomplete', message)
const noSuchUpload = () => new VerbatimError('not-found', 'There is no such upload.')

function statements({ sql }: Database) {
  return {
    start: sql.prepare('INSERT INTO uploads (upload_id, key, content_type, created_at) VALUES (?, ?, ?, ?)'),
    upload: sql.prepare('SELECT content_type FROM uploads WHERE upload_id = ? AND key = ?'),
    startedBefore: sql.prepare('SELECT upload_id FROM uploads WHERE created_at < ?'),
    erase: sql.prepare('DELETE FROM uploads WHERE upload_id = ?'),
    part: sql.prepare('SELECT file FROM parts WHERE upload_id = ? AND part_number = ?'),
    parts: sql.prepare(
      'SELECT part_number, file, size_bytes, md5 FROM parts WHERE upload_id = ? ORDER BY part_number',
    ),
    putPart: sql.prepare(
      'INSERT OR REPLACE INTO parts (upload_id, part_number, file, size_bytes, md5) VALUES (?, ?, ?, ?, ?)',
    ),
  }
}
