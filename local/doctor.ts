import { access, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { availableParallelism, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { findFfmpeg } from '../lib/adapters/audio/ffmpeg.ts'
import { cacheDir } from '../lib/adapters/cache.ts'
import { env } from '../lib/adapters/env.ts'
import { findBuiltEngine } from '../lib/adapters/whisper/build.ts'
import { resolveModel } from '../lib/adapters/whisper/models.ts'
import { findTools, type Tool } from '../lib/adapters/whisper/tools.ts'
import { toVerbatimError } from '../lib/core/errors.ts'
import { GIB } from '../lib/core/settings.ts'
import { enginesHere, tellEngines } from './engines.ts'
import { defaultOptions } from './options.ts'

export interface Finding {
  readonly check: string
  /** `warning`: it works without, but not everything does. */
  readonly ok: boolean | 'warning'
  readonly found?: string
  /** What to do about it. */
  readonly fix?: string
}

export interface DoctorQuestion {
  readonly data?: string
  readonly port?: number
  readonly model?: string
}

const LEAST_FREE_GIB = 2

/** Looks whether the service can run on this machine; changes nothing. */
export async function doctor(question: DoctorQuestion = {}): Promise<Finding[]> {
  const { data, port, model } = { ...defaultOptions(), ...question }
  const engine = await findBuiltEngine()
  return [
    { check: 'node', ok: true, found: process.version },
    engine
      ? { check: 'engine', ok: true, found: `whisper.cpp ${engine.version}, built` }
      : {
          check: 'engine',
          ok: 'warning',
          found: 'not built yet',
          fix: 'It is built at the first start, in a few minutes.',
        },
    ...(await Promise.all(
      (['cmake', 'compiler', 'make', 'tar', 'npm'] as const).map((tool) => checkTool(tool, !!engine)),
    )),
    await checkFfmpeg(),
    await checkModel(model),
    ...(await checkMemory(model)),
    await checkPort(port),
    await checkDisk('data folder', data),
    await checkDisk('cache folder', cacheDir()),
    {
      check: 'machine',
      ok: true,
      found: `${availableParallelism()} cores, ${Math.round(totalmem() / GIB)} GiB memory`,
    },
  ]
}

async function checkTool(tool: Tool, built: boolean): Promise<Finding> {
  try {
    return { check: tool, ok: true, found: (await findTools(tool))[tool] }
  } catch (error) {
    // A built engine needs none of them any more.
    return { check: tool, ok: built ? 'warning' : false, found: 'missing', fix: toVerbatimError(error).hint }
  }
}

async function checkFfmpeg(): Promise<Finding> {
  const path = await findFfmpeg({ override: env().VERBATIM_FFMPEG, searchPath: env().PATH })
  if (path) return { check: 'ffmpeg', ok: true, found: path }
  const fix =
    'Install ffmpeg (apt-get install ffmpeg, brew install ffmpeg) for video, AMR, WMA and other formats.'
  return {
    check: 'ffmpeg',
    ok: 'warning',
    found: 'missing: wav, mp3, m4a, flac, ogg and webm work without',
    fix,
  }
}

async function checkModel(model: string): Promise<Finding> {
  try {
    const { name, path } = await resolveModel(model)
    await access(path)
    const fix =
      'mini is for demonstration only: `verbatim model get large-v3`, then `npm start -- --model large-v3`.'
    return name === 'mini'
      ? { check: 'model', ok: 'warning', found: name, fix }
      : { check: 'model', ok: true, found: `${name} (${path})` }
  } catch (error) {
    const { message, hint } = toVerbatimError(error)
    return { check: 'model', ok: false, found: message, fix: hint }
  }
}

/** How many engines would be started; nothing where there is no model. */
async function checkMemory(model: string): Promise<Finding[]> {
  const path = await resolveModel(model).then(
    (found) => found.path,
    () => undefined,
  )
  if (path === undefined) return []
  const count = await enginesHere(path, { engines: 'auto' })
  const [check, found] = ['engines', tellEngines(count)]
  if (!count.tight && count.coresFor === undefined) return [{ check, ok: true, found }]
  const fix = count.tight
    ? 'There may be too little memory for this model: end other programs, or take a smaller or quantized one.'
    : 'More run side by side with more memory, or with a smaller or quantized model.'
  return [{ check, ok: 'warning', found, fix }]
}

async function checkPort(port: number): Promise<Finding> {
  const check = `port ${port}`
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
  if (free) return { check, ok: true, found: 'free' }
  return {
    check,
    ok: 'warning',
    found: 'in use',
    fix: 'The service may be running; else start it with --port.',
  }
}

async function checkDisk(check: string, folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await existing(folder))
  const free = (bavail * bsize) / GIB
  const found = `${free.toFixed(1)} GiB free`
  if (free >= LEAST_FREE_GIB) return { check, ok: true, found }
  return { check, ok: 'warning', found, fix: 'Free some space: an hour of decoded sound takes 0.1 GiB.' }
}

/** The folder itself, or the nearest one above it that is there. */
async function existing(folder: string): Promise<string> {
  const there = await access(folder).then(
    () => true,
    () => false,
  )
  return there || dirname(folder) === folder ? folder : existing(dirname(folder))
}
