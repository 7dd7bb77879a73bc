import { Command } from 'commander'
import { addCancel } from './commands/cancel.ts'
import { addCaptions } from './commands/captions.ts'
import { addDoctor } from './commands/doctor.ts'
import { addGet } from './commands/get.ts'
import { addList } from './commands/list.ts'
import { addLive } from './commands/live.ts'
import { addLogin } from './commands/login.ts'
import { addModel } from './commands/model.ts'
import { addRm } from './commands/rm.ts'
import { addSession } from './commands/session.ts'
import { addStatus } from './commands/status.ts'
import { addToken } from './commands/token.ts'
import { addTranscribe } from './commands/transcribe.ts'
import { addUpload } from './commands/upload.ts'
import { addWebhook } from './commands/webhook.ts'
import type { Run } from './context.ts'
import { DEFAULT_URL } from './settings.ts'

/** Options that every command takes, before or after its name. */
export interface GlobalFlags {
  readonly url?: string
  readonly token?: string
  readonly data?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

export interface Streams {
  writeOut(text: string): void
  writeErr(text: string): void
}

/** The whole command line. It throws CommanderError instead of ending the process. */
export function createProgram(version: string, run: Run, streams: Streams): Command {
  const program = new Command('verbatim')
    .description('Recordings to transcripts, by a Verbatim service of your own.')
    .version(version, '-V, --version', 'print the version')
    .option('--url <url>', `the service (or VERBATIM_URL; default ${DEFAULT_URL})`)
    .option('--token <token>', 'your token (or VERBATIM_TOKEN, which other users cannot see)')
    .option('--data <folder>', 'folder of a local service (or VERBATIM_DATA; default ./verbatim-data)')
    .option('--json', 'JSON on stdout, a line per recording or job')
    .option('-q, --quiet', 'no progress and no notes, only errors')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput(streams)
    .showHelpAfterError('(--help tells more)')
    .exitOverride()
    .addHelpText('after', EXAMPLES)
  for (const add of COMMANDS) add(program, run)
  return program
}

const COMMANDS = [
  ...[addTranscribe, addUpload, addStatus, addList, addGet, addCancel, addRm],
  ...[addLive, addCaptions, addSession, addWebhook],
  ...[addLogin, addDoctor, addToken, addModel],
]

const EXAMPLES = `
Examples:
  verbatim transcribe talk.wav
  verbatim transcribe recordings/ -f srt -o subtitles
  verbatim live --mic
  verbatim list

Exit codes: 0 done, 1 unexpected, 2 usage, 3 token, 4 not found, 5 recording, 6 state of the job,
7 try again later, 8 set-up of the service, 130 interrupted. More in docs/cli.md.`
