import { type Command, Option } from 'commander'
import type { Context, Run } from '../context.ts'
import { createScreen } from '../live/screen.ts'
import { wholeNumber } from '../parsers.ts'

interface Flags {
  readonly follow?: boolean
  readonly after?: number
  readonly drafts?: boolean
}

/** The service's largest page. */
const PAGE = 1000

export function addCaptions(program: Command, run: Run): void {
  program
    .command('captions')
    .description('print the captions of a session')
    .argument('<sessionId>', 'id of a session, as `verbatim session list` shows it')
    .option('-F, --follow', 'go on until the session is closed')
    .addOption(
      new Option('--after <n>', 'only those after the caption of this number').argParser(
        wholeNumber(-1, 99_999_999),
      ),
    )
    .option('--drafts', 'with --json: print drafts too, not only finals')
    .addHelpText('after', EXAMPLES)
    .action((sessionId: string, flags: Flags) =>
      run((context) => (flags.follow ? follow(context, sessionId, flags) : print(context, sessionId, flags))),
    )
}

const EXAMPLES = `
Examples:
  verbatim captions standup
  verbatim captions standup --follow --json | jq -r .text`

async function print(context: Context, sessionId: string, { after, drafts }: Flags): Promise<number> {
  const { client, out, signal } = context
  const screen = createScreen(out, { drafts: drafts === true })
  for (let from = after; ; ) {
    const { segments } = await client.live.captions(sessionId, { after: from, limit: PAGE }, signal)
    const finals = segments.filter(({ final }) => final)
    for (const segment of finals) screen.show({ what: 'final', segment })
    if (finals.length < PAGE) {
      const rest = segments.filter(({ final }) => !final)
      if (out.wantsJson) screen.show({ what: 'drafts', segments: rest })
      return 0
    }
    from = finals.at(-1)!.id
  }
}

async function follow(context: Context, sessionId: string, { after, drafts }: Flags): Promise<number> {
  const { client, out, signal } = context
  const screen = createScreen(out, { drafts: drafts === true, after })
  // Revisions of earlier captions are told too; the screen knows which ones are asked for.
  const lastId = after === undefined ? undefined : `0.${after}`
  try {
    for await (const update of client.live.follow(sessionId, { signal, lastId })) screen.show(update)
  } finally {
    screen.end()
  }
  return 0
}
