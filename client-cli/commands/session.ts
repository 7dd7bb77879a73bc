import { type Command, Option } from 'commander'
import type { SessionView } from '../../lib/core/live/contract.ts'
import { confirmed } from '../ask.ts'
import type { Context, Run } from '../context.ts'
import { wholeNumber } from '../parsers.ts'
import { forEachId } from '../report.ts'
import { clean, lengthText, table } from '../text.ts'

/** The service's largest page. */
const PAGE = 100
const idHelp = 'id of a session, as `verbatim session list` shows it'

export function addSession(program: Command, run: Run): void {
  const session = program
    .command('session')
    .alias('sessions')
    .description('live sessions: list, look at, close, erase')
  addList(session, run)
  session
    .command('show')
    .alias('status')
    .description('say how sessions do: state, lag, chunks, speakers')
    .argument('<sessionId...>', idHelp)
    .action((ids: string[]) => run((context) => show(context, ids)))
  session
    .command('close')
    .description('end sessions: no more sound comes, the whole recording is heard again')
    .argument('<sessionId...>', idHelp)
    .action((ids: string[]) => run((context) => close(context, ids)))
  session
    .command('rm')
    .alias('delete')
    .description('erase sessions: sound, captions and record, for good')
    .argument('<sessionId...>', idHelp)
    .option('-y, --yes', 'do not ask')
    .action((ids: string[], { yes }: { yes?: boolean }) =>
      run((context) => rm(context, [...new Set(ids)], yes === true)),
    )
}

function addList(session: Command, run: Run): void {
  session
    .command('list')
    .alias('ls')
    .description('list the sessions of this token, newest first')
    .addOption(new Option('--limit <n>', 'how many at most').default(20).argParser(wholeNumber(1, 1_000_000)))
    .option('--all', 'all there are')
    .action(({ limit, all }: { limit: number; all?: boolean }) =>
      run((context) => list(context, all ? Number.POSITIVE_INFINITY : limit)),
    )
}

async function list({ client, out, signal }: Context, wanted: number): Promise<number> {
  const sessions: Awaited<ReturnType<typeof client.live.list>>['sessions'] = []
  let cursor: string | undefined
  do {
    const page = await client.live.list({ cursor, limit: Math.min(PAGE, wanted - sessions.length) }, signal)
    sessions.push(...page.sessions)
    cursor = page.cursor
  } while (cursor !== undefined && sessions.length < wanted)
  const more = cursor !== undefined
  if (out.wantsJson) out.json({ sessions, more })
  else {
    const time = (iso: string) => new Date(iso).toLocaleString('sv').slice(0, 16)
    const rows = sessions.map((it) => [it.sessionId, it.state, time(it.createdAt), time(it.updatedAt)])
    out.data(rows.length === 0 ? '' : table([['SESSION', 'STATE', 'BEGUN', 'CHANGED'], ...rows]))
    if (rows.length === 0) out.say('No sessions.')
    if (more) out.say(`There are more: --all, or --limit ${wanted * 5}.`)
  }
  return 0
}

function show({ client, out, signal }: Context, ids: string[]): Promise<number> {
  return forEachId(
    out,
    signal,
    ids,
    async (id) => {
      const session = await client.live.session(id, signal)
      if (out.wantsJson) out.json(session)
      else out.data(`${linesOf(session).join('\n')}\n`)
    },
    'sessionId',
  )
}

function linesOf(session: SessionView): string[] {
  const { chunks, speakers, lagMs, behind, jobId, language, lastError } = session
  const lost = [
    ...(chunks.missing > 0 ? [`${chunks.missing} missing`] : []),
    ...(chunks.broken > 0 ? [`${chunks.broken} without sound`] : []),
  ]
  const facts = {
    sound: `${lengthText(session.durationMs)} in ${[`${chunks.received} chunks`, ...lost].join(', ')}`,
    captions: `${session.segments}${session.revision > 1 ? ', from the whole recording' : ''}`,
    lag: lagMs === 0 ? undefined : `${(lagMs / 1000).toFixed(1)} s${behind ? ', behind' : ''}`,
    language,
    speakers: speakers.length === 0 ? undefined : speakers.join(', '),
    job: jobId,
    error: lastError,
  }
  const given = Object.entries(facts).filter(([, value]) => value !== undefined)
  return [
    `${session.sessionId}  ${session.state}`,
    ...given.map(([name, value]) => `  ${name.padEnd(8)}  ${clean(String(value))}`),
  ]
}

function close({ client, out, signal }: Context, ids: string[]): Promise<number> {
  return forEachId(
    out,
    signal,
    ids,
    async (id) => {
      const session = await client.live.close(id, signal)
      if (out.wantsJson) out.json(session)
      else out.data(`${session.sessionId}  ${session.state}\n`)
    },
    'sessionId',
  )
}

async function rm(context: Context, ids: string[], yes: boolean): Promise<number> {
  const { client, out, signal } = context
  const what = ids.length === 1 ? `session ${ids[0]}` : `${ids.length} sessions`
  if (!yes && !(await confirmed(context, `Erase ${what} with sound and captions, for good?`))) {
    out.warn('Nothing erased.')
    return 0
  }
  return forEachId(
    out,
    signal,
    ids,
    async (sessionId) => {
      await client.live.remove(sessionId, signal)
      if (out.wantsJson) out.json({ sessionId, erased: true })
      else out.data(`${sessionId}  erased\n`)
    },
    'sessionId',
  )
}
