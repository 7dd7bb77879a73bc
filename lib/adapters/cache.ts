import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { env } from './env.ts'

/**
 * The folder of this user for what can be made or fetched again: the built engine and the models.
 * `VERBATIM_CACHE`, else `XDG_CACHE_HOME`/verbatim (XDG Base Directory Specification), else the platform's place.
 */
export function cacheDir(): string {
  const { VERBATIM_CACHE, XDG_CACHE_HOME, HOME = homedir() } = env()
  if (VERBATIM_CACHE) return resolve(VERBATIM_CACHE)
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, 'verbatim')
  return process.platform === 'darwin'
    ? join(HOME, 'Library', 'Caches', 'verbatim')
    : join(HOME, '.cache', 'verbatim')
}
