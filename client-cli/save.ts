import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VerbatimError } from '../lib/core/errors.ts'
import { UsageError } from './failure.ts'

/**
 * Writes a file whole or not at all: under another name first, then renamed. Makes the folder. Without `overwrite` an
 * existing file stays and the result is false.
 */
export async function save(path: string, bytes: Uint8Array, overwrite: boolean): Promise<boolean> {
  const draft = `${path}.${process.pid}.part`
  try {
    await mkdir(dirname(path), { recursive: true })
    await write(draft, bytes)
    if (overwrite) await rename(draft, path)
    else return await renameIfFree(draft, path)
    return true
  } catch (error) {
    throw explained(error)
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A hard link fails where the name is taken; a rename would replace. */
async function renameIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error
    // No hard links here (FAT, some network disks): the check before the upload has to do.
    await rename(from, to)
    return true
  }
}

function explained(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new VerbatimError('disk-full', 'There is no room left for the transcript.', {
      hint: 'Free some disk space here; `verbatim get <jobId>` fetches the transcript again.',
      cause: error,
    })
  }
  return code === undefined
    ? error
    : new UsageError(`The transcript cannot be written (${code}).`, 'Choose another folder with --out.')
}
