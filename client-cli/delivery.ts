import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Format } from '../lib/core/job.ts'
import type { Context } from './context.ts'
import { UsageError } from './failure.ts'
import { outputPath, transcriptNames } from './names.ts'
import { save } from './save.ts'

/** Where transcripts go and what happens to files that are there already. */
export interface Delivery {
  readonly formats: readonly Format[]
  /** Null: stdout. */
  readonly directory: string | null
  readonly existing: 'refuse' | 'skip' | 'overwrite'
}

export interface DeliveryOptions {
  readonly format: Format[]
  readonly out?: string
  readonly overwrite?: boolean
  readonly skipExisting?: boolean
}

export interface Output {
  readonly format: Format
  /** Null: stdout. */
  readonly path: string | null
}

/** `single`: the command line names exactly one recording. One format of it goes down a pipe unless --out says else. */
export function deliveryOf(
  { format, out, overwrite, skipExisting }: DeliveryOptions,
  { out: { stdoutIsTty, wantsJson } }: Context,
  single: boolean,
): Delivery {
  if (overwrite && skipExisting) throw new UsageError('--overwrite and --skip-existing exclude each other.')
  const piped = out === undefined && single && format.length === 1 && !stdoutIsTty && !wantsJson
  const toStdout = out === '-' || piped
  if (toStdout && format.length > 1 && !wantsJson) {
    throw new UsageError(
      'Only one format fits on stdout.',
      'Choose one with --format, or a folder with --out.',
    )
  }
  return {
    formats: format,
    directory: toStdout ? null : (out ?? '.'),
    existing: overwrite ? 'overwrite' : skipExisting ? 'skip' : 'refuse',
  }
}

/**
 * The files to write for each recording, in order; none for one whose transcripts are all there and may be skipped.
 * Throws UsageError, before anything is sent, when a file is in the way.
 */
export function planOutputs(
  { formats, directory, existing }: Delivery,
  recordings: ReadonlyArray<{ name: string; folder: string; path?: string }>,
): Output[][] {
  if (directory === null) return recordings.map(() => formats.map((format) => ({ format, path: null })))
  const names = transcriptNames(recordings)
  const plan = names.map((name) =>
    formats.map((format) => ({ format, path: outputPath(directory, name, format) })),
  )
  protectInputs(plan, recordings)
  const inTheWay = plan.flat().filter(({ path }) => existsSync(path))
  if (existing === 'overwrite' || inTheWay.length === 0) return plan
  if (existing === 'skip') return plan.map((outputs) => outputs.filter(({ path }) => !existsSync(path)))
  const others = inTheWay.length > 1 ? ` (and ${inTheWay.length - 1} more)` : ''
  throw new UsageError(
    `${inTheWay[0]!.path} exists already${others}.`,
    'Choose --overwrite, --skip-existing or another folder with --out.',
  )
}

function protectInputs(plan: Output[][], recordings: ReadonlyArray<{ path?: string }>): void {
  const inputs = new Set(recordings.flatMap(({ path }) => (path === undefined ? [] : [resolve(path)])))
  const hit = plan.flat().find(({ path }) => path !== null && inputs.has(resolve(path)))
  if (hit) throw new UsageError(`${hit.path} would replace the recording itself.`)
}

/** What came of one recording: paths by format, or the transcripts themselves when they go to stdout. */
export interface Delivered {
  readonly paths: Partial<Record<Format, string>>
  readonly texts: Partial<Record<Format, Uint8Array>>
}

/** Downloads a finished job's transcripts and writes them. */
export async function deliver(
  { client, signal, out }: Context,
  jobId: string,
  outputs: readonly Output[],
  overwrite: boolean,
): Promise<Delivered> {
  const delivered = { paths: {} as Delivered['paths'], texts: {} as Delivered['texts'] }
  for (const { format, path } of outputs) {
    const bytes = await client.download(jobId, format, signal)
    if (path === null) delivered.texts[format] = bytes
    else if (await save(path, bytes, overwrite)) {
      delivered.paths[format] = path
      if (!out.wantsJson) out.data(`${path}\n`)
    } else out.warn(`${path} has appeared meanwhile: left as it is.`)
  }
  return delivered
}

/** For --json: the transcripts that would have gone to stdout, `json` as a document and not as text. */
export function deliveredJson({ paths, texts }: Delivered) {
  const decoded = Object.entries(texts).map(([format, bytes]) => {
    const text = Buffer.from(bytes).toString('utf8')
    return [format, format === 'json' ? JSON.parse(text) : text]
  })
  return decoded.length > 0 ? { transcript: Object.fromEntries(decoded) } : { outputs: paths }
}
