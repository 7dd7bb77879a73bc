import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { VerbatimError } from '../../core/errors.ts'
import { sqliteCode, storageError } from './storage-error.ts'

const SQLITE_BUSY = 5

export interface FolderLock {
  release(): void
}

/** Keeps the connections: one that is collected as garbage would let go of its lock. */
const held = new Set<DatabaseSync>()

/**
 * Takes the data folder for this process. The lock is SQLite's own on lock.db, which the operating system lets go
 * when the process ends, however it ends: there is no stale lock, and no moment between looking and taking.
 * (Nothing else may open lock.db in this process: closing any handle of a file drops the process's locks on it,
 * https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_.)
 * Fails with `storage-unavailable`, naming the process that has it.
 */
export function lockFolder(dataDir: string): FolderLock {
  const pidFile = join(dataDir, 'lock.pid')
  let sql: DatabaseSync | undefined
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    sql = new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 })
    sql.exec('BEGIN EXCLUSIVE')
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })
  } catch (thrown) {
    sql?.close()
    throw sqliteCode(thrown) === SQLITE_BUSY ? inUse(pidFile) : storageError(thrown)
  }
  return hold(sql, pidFile)
}

function hold(sql: DatabaseSync, pidFile: string): FolderLock {
  held.add(sql)
  return {
    release() {
      if (!held.delete(sql)) return
      rmSync(pidFile, { force: true })
      sql.close()
    },
  }
}

function inUse(pidFile: string): VerbatimError {
  let pid = ''
  try {
    pid = readFileSync(pidFile, 'utf8').trim()
  } catch {
    // Taken a moment ago: the file is not there yet.
  }
  const owner = /^\d+$/.test(pid) ? `process ${pid}` : 'another process'
  return new VerbatimError('storage-unavailable', `The data folder is in use by ${owner}.`, {
    hint: 'Stop that process, or start with another data folder.',
  })
}
