import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { env } from '../lib/adapters/env.ts'
import type { LogLevel } from '../lib/adapters/log.ts'
import { DEFAULT_SETTINGS, GIB } from '../lib/core/settings.ts'

/** How the one-machine service runs. */
export interface ServiceOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Folder of everything that must last. */
  readonly data: string
  /** Name or path of the model. */
  readonly model: string
  /** Threads of each engine process; left out: the cores, shared out. */
  readonly threads?: number
  /** Engine processes, each with the model in memory; so many windows are heard at once. `auto`: engines.ts. */
  readonly engines: number | 'auto'
  /** Jobs that are worked on at once; left out: one more than there are engines. */
  readonly jobs?: number
  /** Live sessions that are worked on at once; more of them take turns. */
  readonly sessions: number
  /** How the clients reach the service, when that is not what they send as Host (behind a proxy with TLS). */
  readonly publicUrl?: string
  readonly maxUploadBytes: number
  readonly maxDurationMs: number
  /** How much speech a shard of a long recording has, about. */
  readonly shardMs: number
  /** How long a stopping service lets running jobs finish before it gives them back. */
  readonly drainMs: number
  readonly logLevel: LogLevel
}

/** The options when it is known what this machine can bear. */
export interface SizedOptions extends ServiceOptions {
  readonly threads: number
  readonly engines: number
  readonly jobs: number
}

export const defaultDataDir = (): string => resolve(env().VERBATIM_DATA ?? 'verbatim-data')

const DEFAULT_PORT = 8787

export function defaultOptions(): ServiceOptions {
  return {
    host: '127.0.0.1',
    port: DEFAULT_PORT,
    data: defaultDataDir(),
    model: env().MODEL ?? 'mini',
    engines: 'auto',
    sessions: 16,
    maxUploadBytes: DEFAULT_SETTINGS.maxUploadBytes,
    maxDurationMs: DEFAULT_SETTINGS.maxDurationMs,
    shardMs: DEFAULT_SETTINGS.shardMs,
    drainMs: 10_000,
    logLevel: 'info',
  }
}

/** Reads the command line of `npm start`. Prints help and ends the process where that is asked for. */
export function readOptions(argv: readonly string[]): ServiceOptions {
  const base = defaultOptions()
  const command = new Command('npm start --')
    .description('The whole service on this machine: API, storage, queue and worker.')
    .option('--host <address>', 'address to listen on; 0.0.0.0 for all', base.host)
    .addOption(
      new Option('--port <n>', 'port to listen on; 0 for any free one')
        .default(base.port)
        .argParser(count(0)),
    )
    .option('--data <folder>', 'folder for recordings, transcripts and jobs', base.data)
    .option('--model <name>', 'model by name (verbatim model list) or path of a ggml file', base.model)
    .addOption(
      new Option(
        '--engines <n>',
        'engine processes, each holding the model; auto: what cores and memory allow',
      )
        .default(base.engines)
        .argParser(countOrAuto),
    )
    .addOption(
      new Option('--threads <n>', 'threads of each engine (default: the cores, shared out)').argParser(
        count(1),
      ),
    )
    .addOption(new Option('--jobs <n>', 'jobs worked on at once (default: engines + 1)').argParser(count(1)))
    .addOption(
      new Option('--sessions <n>', 'live sessions worked on at once')
        .default(base.sessions)
        .argParser(count(1)),
    )
    .option('--public-url <url>', 'how clients reach the service, when it is behind a proxy')
    .addOption(
      new Option('--max-upload-gb <n>', 'largest file').default(base.maxUploadBytes / GIB).argParser(amount),
    )
    .addOption(
      new Option('--max-hours <n>', 'longest recording').default(base.maxDurationMs / HOUR).argParser(amount),
    )
    .addOption(
      new Option(
        '--shard-minutes <n>',
        'speech in each piece of a long recording; pieces are heard side by side',
      )
        .default(base.shardMs / MINUTE)
        .argParser(amount),
    )
    .addOption(
      new Option('--drain-seconds <n>', 'how long Ctrl-C waits for running jobs')
        .default(10)
        .argParser(count(0)),
    )
    .addOption(
      new Option('--log <level>', 'what goes to stderr')
        .choices(['info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .addHelpText(
      'after',
      [
        '\nEnvironment: VERBATIM_DATA (folder), MODEL, VERBATIM_CACHE, VERBATIM_FFMPEG (path or off).',
        'Captions also go to ENGINE_API_URL (with ENGINE_API_TOKEN) and REDIS_URL (VERBATIM_REDIS_PREFIX).',
        'Webhooks: VERBATIM_WEBHOOK_SECRET (whsec_…), VERBATIM_WEBHOOK_ALLOW (private hosts they may go to).',
      ].join('\n'),
    )
    .parse([...argv], { from: 'user' })
  return fromFlags(command.opts<Flags>())
}

interface Flags {
  host: string
  port: number
  data: string
  model: string
  engines: number | 'auto'
  threads?: number
  jobs?: number
  sessions: number
  publicUrl?: string
  maxUploadGb: number
  maxHours: number
  shardMinutes: number
  drainSeconds: number
  log: ServiceOptions['logLevel']
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function fromFlags(flags: Flags): ServiceOptions {
  const { host, port, data, model, engines, threads, jobs, sessions, publicUrl } = flags
  return {
    ...{ host, port, model, engines, sessions, data: resolve(data), logLevel: flags.log },
    ...(threads !== undefined && { threads }),
    ...(jobs !== undefined && { jobs }),
    ...(publicUrl !== undefined && { publicUrl: publicUrl.replace(/\/+$/, '') }),
    maxUploadBytes: Math.round(flags.maxUploadGb * GIB),
    maxDurationMs: Math.round(flags.maxHours * HOUR),
    shardMs: Math.round(flags.shardMinutes * MINUTE),
    drainMs: flags.drainSeconds * 1000,
  }
}

function count(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`A whole number from ${least} up.`)
    return value
  }
}

const countOrAuto = (text: string): number | 'auto' => (text === 'auto' ? text : count(1)(text))

function amount(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('A number above 0.')
  return value
}
