import type { Command } from 'commander'
import type { Estimate } from '../../lib/core/contract.ts'
import { completed, type UploadOptions } from '../client.ts'
import type { Context, Run } from '../context.ts'
import type { DeliveryOptions } from '../delivery.ts'
import { type Delivered, deliver, deliveredJson, deliveryOf, type Output, planOutputs } from '../delivery.ts'
import { findInputs, type Input, labelOf } from '../inputs.ts'
import { tellEnd, tellEstimate } from '../job-text.ts'
import { pooled } from '../pool.ts'
import { createProgress, type Progress, type Row } from '../progress.ts'
import { reportFailure, worstOf } from '../report.ts'
import {
  stdinOf,
  type UploadFlags,
  uploadOptionsOf,
  withDeliveryOptions,
  withUploadOptions,
} from './options.ts'

type Flags = UploadFlags & DeliveryOptions & { readonly wait: boolean; readonly timeout?: number }

export function addTranscribe(program: Command, run: Run): void {
  const command = program
    .command('transcribe')
    .description('upload recordings, wait, and write their transcripts')
    .argument('<file...>', 'recordings, directories, quoted patterns, or - for stdin')
  withDeliveryOptions(withUploadOptions(command))
    .option('--no-wait', 'only upload, and print the job ids')
    .addHelpText('after', EXAMPLES)
    .action((files: string[], flags: Flags) => run((context) => transcribe(context, files, flags)))
}

const EXAMPLES = `
Examples:
  verbatim transcribe talk.wav                      writes talk.txt
  verbatim transcribe talk.wav | grep -i budget     one recording, one format: down the pipe
  verbatim transcribe -f srt,json -o out recordings/
  verbatim transcribe 'week-*/*.m4a' -l de --prompt-file names.txt
  ffmpeg -i film.mkv -f flac - | verbatim transcribe - --name film.flac`

/** One recording and what is to become of it. */
interface Piece {
  readonly input: Input
  readonly label: string
  readonly outputs: readonly Output[]
}

interface Result {
  readonly exit: number
  readonly delivered?: Delivered
}

export async function transcribe(context: Context, args: string[], flags: Flags): Promise<number> {
  const { out } = context
  const options = await uploadOptionsOf(flags)
  const { files, skipped } = await findInputs(args)
  if (skipped.length > 0) out.say(`${skipped.length} other files left out, such as ${skipped[0]}.`)
  const pieces = flags.wait ? planned(context, args, files, flags) : unplanned(files)

  const progress = createProgress(out)
  const work = (piece: Piece) => transcribeOne(context, piece, flags, options, progress)
  const results = pooled(pieces, flags.concurrency, work)
  for (const result of results) {
    // Transcripts go to stdout in the order of the recordings.
    for (const text of Object.values((await result).delivered?.texts ?? {})) {
      if (!out.wantsJson) out.data(endedByNewline(text))
    }
  }
  return worstOf((await Promise.all(results)).map(({ exit }) => exit))
}

function planned(context: Context, args: string[], files: readonly Input[], flags: Flags): Piece[] {
  const single = args.length === 1 && files.length === 1 && files[0]!.path === args[0]
  const recordings = files.map(({ path, folder }) => {
    const name = path === '-' ? flags.name : path
    return { name, folder, path }
  })
  const plan = planOutputs(deliveryOf(flags, context, single), recordings)
  return unplanned(files)
    .map((piece, i) => ({ ...piece, outputs: plan[i]! }))
    .filter(({ outputs, label }) => {
      if (outputs.length === 0) context.out.say(`${label}: has its transcripts already.`)
      return outputs.length > 0
    })
}

const unplanned = (files: readonly Input[]): Piece[] =>
  files.map((input) => ({ input, label: labelOf(input), outputs: [] }))

async function transcribeOne(
  context: Context,
  piece: Piece,
  flags: Flags,
  options: UploadOptions,
  progress: Progress,
): Promise<Result> {
  const { out, signal } = context
  // Interrupted before its turn.
  if (signal.aborted) return { exit: reportInterrupted(context) }
  const row = progress.row(piece.label)
  let jobId: string | undefined
  const quote: { estimate?: Estimate } = {}
  try {
    jobId = await uploadOne(context, piece, flags, options, row, (estimate) => {
      quote.estimate = estimate
      tellEstimate(out, piece.label, estimate)
    })
    if (!flags.wait) {
      out.wantsJson ? out.json({ file: piece.input.path, jobId, ...quote }) : out.data(`${jobId}\n`)
      return { exit: 0 }
    }
    const wait = { signal, timeoutMs: flags.timeout, onStatus: row.status }
    const job = completed(await context.client.wait(jobId, wait))
    const delivered = await deliver(context, jobId, piece.outputs, flags.overwrite === true)
    tellEnd(out, piece.label, job)
    if (out.wantsJson) out.json({ ...summary(piece, job), ...quote, ...deliveredJson(delivered) })
    return { exit: 0, delivered }
  } catch (error) {
    row.end()
    if (signal.aborted) return { exit: reportInterrupted(context, piece, jobId) }
    const json = { file: piece.input.path, ...(jobId && { jobId }) }
    return { exit: reportFailure(out, error, { label: piece.label, json }) }
  } finally {
    row.end()
  }
}

function uploadOne(
  context: Context,
  { input }: Piece,
  flags: UploadFlags,
  options: UploadOptions,
  row: Row,
  onEstimate: (estimate: Estimate) => void,
): Promise<string> {
  const from = input.path === '-' ? stdinOf(context, flags.name) : input.path
  return context.client.upload(from, options, { signal: context.signal, onProgress: row.sent, onEstimate })
}

/** Uploading: the client has cancelled the job. Later: the job goes on, and we say how to find it. */
function reportInterrupted({ out, signal }: Context, piece?: Piece, jobId?: string): number {
  if (piece && jobId !== undefined) {
    out.warn(`${piece.label}: goes on without us; \`verbatim get ${jobId} --wait\` fetches the transcript.`)
  } else if (piece) out.warn(`${piece.label}: upload cancelled.`)
  const json = piece && { file: piece.input.path, ...(jobId !== undefined && { jobId }) }
  return reportFailure(out, signal.reason, { ...(json && { json }) })
}

function summary({ input }: Piece, job: ReturnType<typeof completed>) {
  const { jobId, status, durationMs, language, usage, gaps } = job
  return { file: input.path, jobId, status, durationMs, language, usage, gaps }
}

function endedByNewline(text: Uint8Array): Uint8Array {
  return text.length === 0 || text.at(-1) === 0x0a ? text : Buffer.concat([text, Buffer.from('\n')])
}
