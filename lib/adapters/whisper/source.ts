import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { VerbatimError } from '../../core/errors.ts'
import { env } from '../env.ts'
import { download } from './download.ts'
import { run } from './run.ts'
import { findTools } from './tools.ts'

/** A place that whisper.cpp's source can come from. */
export interface Source {
  /** For people. */
  readonly name: string
  readonly version: string
  /** Changes when the source does; part of the built engine's name. */
  readonly id: string
  /** Puts the source into an empty folder and says where its top is. */
  fetch(folder: string, signal?: AbortSignal): Promise<string>
}

/**
 * The pinned release. The checksum is that of `git archive --format=tar.gz --prefix=whisper.cpp-1.9.3/ v1.9.3`
 * (commit 371b5a75), which is what GitHub serves, and the one that packagers publish.
 */
const ARCHIVE = {
  version: '1.9.3',
  url: 'https://github.com/ggml-org/whisper.cpp/archive/refs/tags/v1.9.3.tar.gz',
  sha256: '1650f884effba487025143bd8facd2f9fb40a83b3737a732803c67a8d659d9c0',
  sizeBytes: 9_132_196,
  top: 'whisper.cpp-1.9.3',
}

/** An npm package that carries a whole whisper.cpp tree. Only that tree is unpacked; its JavaScript never runs. */
const PACKAGE = {
  version: '1.9.1',
  spec: 'nodejs-whisper@0.3.1',
  sha512: 'ceoilUVraRuR5FnNyXpGQT2auAR48Oc3AQBEmkXnVpSn9iN6yVRzQBFCqVTGWbk6Wdi95NhvwXNzFvuR7erLWw==',
  top: 'package/cpp/whisper.cpp',
}

/** Where to look, best first. With WHISPER_CPP_DIR that tree and nothing else. */
export async function engineSources(): Promise<Source[]> {
  const { WHISPER_CPP_DIR } = env()
  if (WHISPER_CPP_DIR) return [await treeSource(WHISPER_CPP_DIR)]
  return [
    { name: 'release archive', version: ARCHIVE.version, id: ARCHIVE.sha256, fetch: fetchArchive },
    { name: 'npm package', version: PACKAGE.version, id: PACKAGE.sha512, fetch: fetchPackage },
  ]
}

async function fetchArchive(folder: string, signal?: AbortSignal): Promise<string> {
  const target = join(folder, 'source.tar.gz')
  const { url, sha256, sizeBytes } = ARCHIVE
  await download({
    url,
    target,
    sizeBytes,
    checksum: { algorithm: 'sha256', hex: sha256 },
    signal,
    attempts: 2,
  })
  return await unpack(target, folder, ARCHIVE.top, signal)
}

/** Through npm's own command line, so that the registry and the proxy that the user has set hold here too. */
async function fetchPackage(folder: string, signal?: AbortSignal): Promise<string> {
  const { npm } = await findTools('npm')
  const quiet = ['--ignore-scripts', '--no-update-notifier', '--loglevel=error']
  await run(npm, ['pack', PACKAGE.spec, '--pack-destination', folder, ...quiet], { cwd: folder, signal })
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  if (!tarball) throw new Error('npm pack left no file')
  const path = join(folder, tarball)
  const hash = createHash('sha512')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  if (hash.digest('base64') !== PACKAGE.sha512) throw new Error('the package is not the one that was pinned')
  return await unpack(path, folder, PACKAGE.top, signal)
}

async function unpack(archive: string, folder: string, top: string, signal?: AbortSignal): Promise<string> {
  const { tar } = await findTools('tar')
  await run(tar, ['-xzf', archive, '-C', folder, top], { signal })
  return join(folder, top)
}

/** A tree of the user's. It is copied, because cmake writes into the source (bindings/javascript). */
async function treeSource(tree: string): Promise<Source> {
  const cmakeLists = await readFile(join(tree, 'CMakeLists.txt'), 'utf8').catch(() => '')
  const version = versionOf(cmakeLists)
  if (!version) {
    throw new VerbatimError('engine-missing', 'WHISPER_CPP_DIR is not a whisper.cpp source tree.', {
      hint: 'Point WHISPER_CPP_DIR at a checkout of whisper.cpp, or unset it.',
    })
  }
  return {
    name: 'WHISPER_CPP_DIR',
    version,
    id: await fingerprint(tree),
    async fetch(folder) {
      const top = join(folder, 'tree')
      await cp(tree, top, { recursive: true, filter: isSource })
      return top
    },
  }
}

/** whisper.cpp's version as its CMakeLists.txt states it: in the project's line until 1.9.1, in variables since. */
export function versionOf(cmakeLists: string): string | undefined {
  if (!cmakeLists.includes('project("whisper.cpp"')) return undefined
  const stated = /project\("whisper\.cpp" VERSION ([\d.]+)\)/.exec(cmakeLists)?.[1]
  if (stated) return stated
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`set\\(WHISPER_VERSION_${part} (\\d+)\\)`).exec(cmakeLists)?.[1],
  )
  return parts.includes(undefined) ? undefined : parts.join('.')
}

/** Not the history, not earlier builds, and not the models that people keep in their checkout. */
const isSource = (path: string): boolean =>
  basename(path) !== '.git' && !existsSync(join(path, 'CMakeCache.txt')) && !path.endsWith('.bin')

/** Names, sizes and times of what the engine is compiled from. */
async function fingerprint(tree: string): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of ['cmake', 'include', 'src', 'ggml', 'examples']) {
    const names = await readdir(join(tree, folder), { recursive: true }).catch(() => [])
    for (const name of names.sort()) {
      const { size, mtimeMs } = await stat(join(tree, folder, name))
      hash.update(`${folder}/${name} ${size} ${mtimeMs}\n`)
    }
  }
  return hash.digest('hex')
}

/** An empty folder for one attempt. */
export async function attemptFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name)
  await mkdir(folder, { recursive: true })
  return folder
}
