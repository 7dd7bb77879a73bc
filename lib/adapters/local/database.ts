import { EventEmitter } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { VerbatimError } from '../../core/errors.ts'
import { MIGRATIONS } from './schema.ts'
import { errno, storageError } from './storage-error.ts'

/** How long a statement waits for another process's write before it fails. */
const BUSY_TIMEOUT_MS = 10_000

/** The one SQLite file of a data folder. Several processes may have it open. */
export interface Database {
  readonly sql: DatabaseSync
  /** Emits `queue:<name>` when this process has put a message into that queue. */
  readonly wakeups: EventEmitter
  /** Runs `work`, turning SQLite's errors into those of the table. */
  read<T>(work: () => T): T
  /** Runs `work` as one write transaction: durable when this returns, undone when `work` throws. */
  transaction<T>(work: () => T): T
  close(): void
}

/**
 * Opens the database in `dataDir`, making both if need be, and brings it to the newest schema.
 * Fails with `storage-unavailable` when the file was written by a newer version, or is damaged.
 */
export function openDatabase(dataDir: string): Database {
  let sql: DatabaseSync
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const file = join(dataDir, 'verbatim.db')
    makePrivate(file)
    sql = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  } catch (thrown) {
    throw storageError(thrown)
  }
  try {
    configure(sql)
    migrate(sql)
  } catch (thrown) {
    sql.close()
    throw storageError(thrown)
  }
  const wakeups = new EventEmitter().setMaxListeners(0)
  return { sql, wakeups, read, transaction: (work) => transaction(sql, work), close: () => sql.close() }
}

/** A new file is for its owner alone; what SQLite puts beside it gets the same mode. An old one is not touched. */
function makePrivate(file: string): void {
  try {
    writeFileSync(file, '', { flag: 'wx', mode: 0o600 })
  } catch (thrown) {
    if (errno(thrown) !== 'EEXIST') throw thrown
  }
}

function configure(sql: DatabaseSync): void {
  // secure_delete: what a client has erased (file names, prompts) is overwritten in the file, not just unlinked.
  sql.exec('PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL')
  // WAL: readers do not wait for a writer. The switch is made once per file; of two processes that make it at the
  // same moment one gets SQLITE_BUSY at once, without the busy timeout being used, and so tries again.
  for (let attempt = 1; ; attempt++) {
    try {
      sql.exec('PRAGMA journal_mode = WAL')
      return
    } catch (thrown) {
      if (attempt === 100) throw thrown
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

function migrate(sql: DatabaseSync): void {
  if (versionOf(sql) === MIGRATIONS.length) return
  transaction(sql, () => {
    // Read again: another process may have migrated while this one waited.
    const version = versionOf(sql)
    if (version > MIGRATIONS.length) {
      throw new VerbatimError('storage-unavailable', 'The data folder was written by a newer version.', {
        hint: 'Start that newer version again, or give this one another data folder.',
      })
    }
    for (const step of MIGRATIONS.slice(version)) sql.exec(step)
    sql.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
  })
}

function versionOf(sql: DatabaseSync): number {
  return Number(sql.prepare('PRAGMA user_version').get()?.user_version)
}

function read<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw storageError(thrown)
  }
}

function transaction<T>(sql: DatabaseSync, work: () => T): T {
  try {
    // IMMEDIATE: the write lock is waited for here; a read that turns into a write later could not wait.
    sql.exec('BEGIN IMMEDIATE')
    const result = work()
    sql.exec('COMMIT')
    return result
  } catch (thrown) {
    if (sql.isTransaction) sql.exec('ROLLBACK')
    throw storageError(thrown)
  }
}
