import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { UsageError } from './failure.ts'

/** Where `npm start` listens. */
export const DEFAULT_URL = 'http://127.0.0.1:8787'

const text = z
  .string()
  .optional()
  .transform((value) => value || undefined)

/** The environment variables that the CLI knows. */
export const Environment = z.object({
  VERBATIM_URL: text,
  VERBATIM_TOKEN: text,
  VERBATIM_DATA: text,
  VERBATIM_FFMPEG: text,
  XDG_CONFIG_HOME: text,
  NO_COLOR: text,
})
export type Environment = z.infer<typeof Environment>

const Config = z.object({ url: z.string(), token: z.string() })
type Config = z.infer<typeof Config>

export interface Flags {
  readonly url?: string | undefined
  readonly token?: string | undefined
  readonly data?: string | undefined
}

export interface Settings {
  readonly url: string
  readonly token: string | undefined
  /** Folder of a local service. */
  readonly data: string
}

/** Options before environment before the file that `login` writes before what `npm start` leaves in its folder. */
export function resolveSettings(flags: Flags, env: Environment): Settings {
  const config = readConfig(env)
  const url = checkedUrl(flags.url ?? env.VERBATIM_URL ?? config?.url ?? DEFAULT_URL)
  const data = resolve(flags.data ?? env.VERBATIM_DATA ?? 'verbatim-data')
  const given = flags.token ?? env.VERBATIM_TOKEN
  return { url, data, token: given ?? configToken(config, url) ?? localToken(url, data) }
}

/** Keeps URL and token for later calls, readable by this user alone. Returns the file's path. */
export function writeConfig(env: Environment, config: Config): string {
  const path = configPath(env)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
  return path
}

function checkedUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new UsageError('The service URL is not one.', `Give it like ${DEFAULT_URL} (--url, VERBATIM_URL).`)
  }
  return url.replace(/\/+$/, '')
}

/** A kept token goes only to the service that it was kept for. */
function configToken(config: Config | undefined, url: string): string | undefined {
  return config && new URL(config.url).origin === new URL(url).origin ? config.token : undefined
}

/** `npm start` leaves a token in its data folder; it is for services on this machine only. */
function localToken(url: string, data: string): string | undefined {
  const { hostname } = new URL(url)
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
  return loopback ? read(join(data, 'token'))?.trim() || undefined : undefined
}

function configPath(env: Environment): string {
  return join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'verbatim', 'config.json')
}

function readConfig(env: Environment): Config | undefined {
  const path = configPath(env)
  const raw = read(path)
  if (raw === undefined) return undefined
  try {
    const config = Config.parse(JSON.parse(raw))
    return { ...config, url: checkedUrl(config.url) }
  } catch {
    throw new UsageError(`${path} is damaged.`, 'Write it anew with `verbatim login`.')
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
