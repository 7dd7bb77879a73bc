import { glob, stat } from 'node:fs/promises'
import { basename, dirname, join, normalize, relative } from 'node:path'
import { UsageError } from './failure.ts'
import { isMedia } from './media.ts'

export interface Input {
  /** `-` is stdin. */
  readonly path: string
  /** Folder below the output folder: a directory's own folders are kept. */
  readonly folder: string
}

export interface Inputs {
  readonly files: readonly Input[]
  /** Files of a directory that have no media extension. */
  readonly skipped: readonly string[]
}

/**
 * Turns arguments into files: a file is taken as it is, a directory stands for its media files (recursively, hidden
 * ones left out), a pattern for what it matches. Each file once. Throws UsageError for an argument that names nothing.
 */
export async function findInputs(args: readonly string[]): Promise<Inputs> {
  const files = new Map<string, Input>()
  const skipped: string[] = []
  for (const arg of args) {
    const kind = arg === '-' ? 'file' : await kindOf(arg)
    if (kind === 'file') add({ path: arg, folder: '' })
    else if (kind === 'directory') await addDirectory(arg)
    else if (/[*?[{]/.test(arg)) await addMatches(arg)
    // Let the upload of this one file fail: the others need not.
    else add({ path: arg, folder: '' })
  }
  return { files: [...files.values()], skipped }

  function add(input: Input) {
    const key = input.path === '-' ? '-' : normalize(input.path)
    if (!files.has(key)) files.set(key, input)
  }

  async function addDirectory(directory: string) {
    const { media, others } = await mediaBelow(directory)
    for (const path of media) add({ path, folder: relative(directory, dirname(path)) })
    skipped.push(...others)
    if (media.length === 0) throw new UsageError(`There is no recording in ${directory}.`)
  }

  async function addMatches(pattern: string) {
    const matches = await sorted(glob(pattern))
    let found = 0
    for (const path of matches) {
      if ((await kindOf(path)) !== 'file') continue
      add({ path, folder: '' })
      found++
    }
    if (found === 0) throw new UsageError(`Nothing matches ${pattern}.`)
  }
}

async function mediaBelow(directory: string): Promise<{ media: string[]; others: string[] }> {
  const media: string[] = []
  const others: string[] = []
  const names = await sorted(glob('**', { cwd: directory }))
  for (const name of names) {
    if (name.split(/[\\/]/).some((part) => part.startsWith('.'))) continue
    const path = join(directory, name)
    if ((await kindOf(path)) !== 'file') continue
    if (isMedia(name)) media.push(path)
    else others.push(path)
  }
  return { media, others }
}

async function sorted(names: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const name of names) all.push(name)
  return all.sort()
}

async function kindOf(path: string): Promise<'file' | 'directory' | 'nothing'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file'
  } catch {
    return 'nothing'
  }
}

/** What a person calls the input. */
export const labelOf = ({ path }: Input): string => (path === '-' ? 'stdin' : basename(path))
