import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import type { Format } from '../../lib/core/job.ts'
import type { UploadOptions } from '../client.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../failure.ts'
import * as parse from '../parsers.ts'

// Options that several commands share.

export interface UploadFlags {
  readonly language?: string
  readonly prompt?: string
  readonly promptFile?: string
  readonly channels?: 'mix' | 'separate'
  readonly metadata?: Record<string, string>
  readonly allowPartial?: boolean
  readonly concurrency: number
  /** What stdin is called. */
  readonly name: string
}

export function withUploadOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-l, --language <code>', 'spoken language; left out: detected').argParser(parse.language),
    )
    .option('--prompt <text>', 'names and terms that occur, as they should be spelt')
    .option('--prompt-file <path>', 'the same, from a file')
    .addOption(
      new Option('--channels <how>', 'all channels as one, or each as a speaker of its own').choices([
        'mix',
        'separate',
      ]),
    )
    .addOption(
      new Option('--metadata <key=value>', 'label of your own; repeatable').argParser(parse.metadata),
    )
    .option('--allow-partial', 'leave a gap where a stretch cannot be transcribed, in place of failing')
    .addOption(
      new Option('--concurrency <n>', 'files at once').default(2).argParser(parse.wholeNumber(1, 64)),
    )
    .option('--name <filename>', 'what to call the recording that comes from stdin', 'stdin')
}

export async function uploadOptionsOf(flags: UploadFlags): Promise<UploadOptions> {
  const { language, prompt, promptFile, channels, metadata, allowPartial } = flags
  if (prompt !== undefined && promptFile !== undefined)
    throw new UsageError('--prompt and --prompt-file exclude each other.')
  const glossary = promptFile === undefined ? prompt : await textOf(promptFile)
  return {
    ...(language && { language }),
    ...(glossary && { prompt: glossary }),
    ...(channels && { channels }),
    ...(metadata && { metadata }),
    ...(allowPartial && { allowPartial }),
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

export function withDeliveryOptions(command: Command): Command {
  const seed: Format[] = ['txt']
  return command
    .addOption(
      new Option('-f, --format <formats>', 'json, srt, vtt, txt (comma-separated, repeatable) or all')
        .default(seed, 'txt')
        .argParser((text, before: Format[] | undefined) => parse.formats(text, before, seed)),
    )
    .option('-o, --out <folder>', 'where transcripts go; - for stdout (default: the current folder)')
    .option('--overwrite', 'replace transcripts that exist')
    .option('--skip-existing', 'leave out recordings whose transcripts exist')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for one transcript (90s, 15m, 2h)').argParser(
        parse.duration,
      ),
    )
}

/** The stream for a `-` argument. */
export function stdinOf({ stdin }: Context, filename: string) {
  if (stdin.isTTY) throw new UsageError('- reads a recording from stdin, but that is a terminal.')
  return { stream: stdin, filename }
}

export const jobIdHelp = 'id of a job, as `verbatim list` shows it'
