import { toVerbatimError, VerbatimError } from '../../core/errors.ts'

// Primary result codes, https://sqlite.org/rescode.html
const SQLITE_FULL = 13
const UNAVAILABLE: Readonly<Record<number, string>> = {
  5: 'The database is busy.',
  6: 'The database is busy.',
  8: 'The database cannot be written.',
  10: 'The database cannot be read or written.',
  11: 'The database is damaged.',
  14: 'The database cannot be opened.',
  26: 'The database is damaged.',
}

/** The primary result code of an error of node:sqlite, else undefined. */
export function sqliteCode(thrown: unknown): number | undefined {
  if (thrown === null || typeof thrown !== 'object') return undefined
  const { errcode } = thrown as { errcode?: unknown }
  // The low byte; the rest of an extended code says more about the cause.
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}

/** `disk-full` or `storage-unavailable` for what SQLite and the file system throw, else `internal`. */
export function storageError(thrown: unknown): VerbatimError {
  if (thrown instanceof VerbatimError) return thrown
  const code = sqliteCode(thrown)
  if (code === SQLITE_FULL) {
    return new VerbatimError('disk-full', 'No space left on the server.', { cause: thrown })
  }
  const message = code === undefined ? undefined : UNAVAILABLE[code]
  return message
    ? new VerbatimError('storage-unavailable', message, { cause: thrown })
    : toVerbatimError(thrown)
}

/** The errno code of a file system error, such as ENOENT. */
export function errno(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
