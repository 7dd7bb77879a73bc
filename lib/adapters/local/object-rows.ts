import { VerbatimError } from '../../core/errors.ts'
import type { Clock, ObjectInfo } from '../../core/ports.ts'
import type { Database } from './database.ts'
import type { Files, WrittenFile } from './files.ts'
import { insertMessage, wake } from './queue.ts'
import { type CreatedBy, type EventTarget, objectCreated } from './s3-event.ts'

/** An object and the name of the file that holds its bytes. */
export interface StoredObject extends ObjectInfo {
  readonly file: string
}

export interface NewObject {
  readonly key: string
  readonly contentType: string
  readonly etag: string
  readonly written: WrittenFile
  readonly by: CreatedBy
}

/** Which file is which object: the table `objects`. */
export type ObjectRows = ReturnType<typeof createObjectRows>

export function createObjectRows(db: Database, files: Files, clock: Clock, events: EventTarget | undefined) {
  const q = statements(db)

  const find = (key: string): StoredObject | undefined => {
    const row = db.read(() => q.find.get(key))
    return row && ({ ...row } as unknown as StoredObject)
  }

  /**
   * Makes a written file the object, replacing the one that was there: row, event and `also` in one transaction.
   * When it fails, the file is gone and the old object stays.
   */
  async function commit(object: NewObject, also: () => void = () => {}): Promise<void> {
    const { key, written } = object
    const announced = events?.prefix !== undefined && key.startsWith(events.prefix)
    let old: string | undefined
    try {
      old = db.transaction(() => {
        mustExist(written.file)
        also()
        const before = q.find.get(key)
        const now = clock()
        q.put.run(key, written.file, written.sizeBytes, object.contentType, object.etag, now)
        const info = { ...object, sizeBytes: written.sizeBytes }
        if (announced) insertMessage(db, events.queue, objectCreated(info, object.by, now), now, now)
        return before && String(before.file)
      })
    } catch (thrown) {
      discard(written.file)
      throw thrown
    }
    if (announced) wake(db, events.queue)
    if (old) await files.remove([old])
  }

  /** The file may have been swept, by a new host, between its last byte and this transaction (`removeIfUnknown`). */
  function mustExist(file: string): void {
    if (!files.exists(file)) {
      throw new VerbatimError('storage-unavailable', 'The object store was swept during a write.')
    }
  }

  /** Deletes a file that no row names. Under the write lock, so that no row can come to name it meanwhile. */
  function removeIfUnknown(file: string): boolean {
    const isKnown = () => q.known.get(file, file) !== undefined
    if (db.read(isKnown)) return false
    return db.transaction(() => {
      if (isKnown()) return false
      files.removeSync(file)
      return true
    })
  }

  /** After a commit that failed: it looks again, because a disk in trouble may have kept the row all the same. */
  function discard(file: string): void {
    try {
      removeIfUnknown(file)
    } catch {
      // The error of the commit is the one to tell; the sweep deletes the file.
    }
  }

  return {
    find,
    commit,
    removeIfUnknown,
    list: (prefix: string): string[] => db.read(() => q.list.all(prefix)).map((row) => String(row.key)),
    async remove(keys: readonly string[]): Promise<void> {
      const gone = db.transaction(() =>
        keys.flatMap((key) => q.erase.all(key).map((row) => String(row.file))),
      )
      await files.remove(gone)
    },
  }
}

function statements({ sql }: Database) {
  return {
    find: sql.prepare(
      'SELECT key, file, size_bytes AS sizeBytes, content_type AS contentType, etag FROM objects WHERE key = ?',
    ),
    put: sql.prepare(
      `INSERT OR REPLACE INTO objects (key, file, size_bytes, content_type, etag, created_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    // 0xFF is greater than any byte of UTF-8: the end of everything that begins with the prefix.
    list: sql.prepare(
      `SELECT key FROM objects WHERE key >= ?1 AND key < ?1 || CAST(X'FF' AS TEXT) ORDER BY key`,
    ),
    erase: sql.prepare('DELETE FROM objects WHERE key = ? RETURNING file'),
    known: sql.prepare('SELECT 1 FROM objects WHERE file = ? UNION ALL SELECT 1 FROM parts WHERE file = ?'),
  }
}
