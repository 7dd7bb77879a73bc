import { randomBytes, randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { VerbatimError } from '../../core/errors.ts'
import { errno, storageError } from './storage-error.ts'

const BYTES = 32

/** The key that signs URLs, kept in the data folder and readable by its owner alone; made at the first call. */
export function loadSecret(dataDir: string): Buffer {
  const file = join(dataDir, 'url-secret')
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const secret = readOrUndefined(file) ?? make(dataDir, file)
    if (secret.length === BYTES) return secret
  } catch (thrown) {
    throw storageError(thrown)
  }
  throw new VerbatimError('storage-unavailable', 'The key that signs URLs is damaged.', {
    hint: 'Delete the file url-secret in the data folder; URLs given out so far stop working.',
  })
}

function readOrUndefined(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch (thrown) {
    if (errno(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

/** Whole or not there at all: written aside, then linked, which fails if another process was first. */
function make(dataDir: string, file: string): Buffer {
  const aside = `${file}.${randomUUID()}`
  try {
    writeFileSync(aside, randomBytes(BYTES), { mode: 0o600, flag: 'wx', flush: true })
    linkSync(aside, file)
    fsyncFolder(dataDir)
  } catch (thrown) {
    if (errno(thrown) !== 'EEXIST') throw thrown
  } finally {
    rmSync(aside, { force: true })
  }
  return readFileSync(file)
}

function fsyncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
