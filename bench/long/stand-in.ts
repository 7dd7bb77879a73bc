import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDir } from '../../lib/adapters/cache.ts'
import { ensureEngine } from '../../lib/adapters/whisper/build.ts'
import { tempFolder } from '../../test/support/service.ts'

const SERVER = fileURLToPath(new URL('stand-in-server.ts', import.meta.url))

/** Environment of a service that takes the stand-in for its engine: a cache in which that is the one that was built. */
export async function standInEngine(): Promise<Record<string, string>> {
  const { serverPath } = await ensureEngine()
  const cache = await tempFolder()
  const folder = join(cache, 'engine', basename(dirname(serverPath)))
  await mkdir(folder, { recursive: true })
  const program = join(folder, basename(serverPath))
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${SERVER}' "$@"\n`)
  await chmod(program, 0o755)
  await symlink(join(cacheDir(), 'models'), join(cache, 'models'))
  return { VERBATIM_CACHE: cache }
}
