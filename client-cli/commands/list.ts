import { type Command, InvalidArgumentError, Option } from 'commander'
import type { JobStatus } from '../../lib/core/contract.ts'
import { STATUSES, type Status } from '../../lib/core/job.ts'
import type { Context, Run } from '../context.ts'
import { wholeNumber } from '../parsers.ts'
import { clean, lengthText, percentText, table } from '../text.ts'

/** The service's largest page. */
const PAGE = 100

interface Flags {
  readonly status?: Status
  readonly limit: number
  readonly all?: boolean
}

export function addList(program: Command, run: Run): void {
  program
    .command('list')
    .alias('ls')
    .description('list the jobs of this token, newest first')
    .addOption(
      new Option('--status <status>', `only jobs in this state: ${STATUSES.join(', ')}`).argParser(statusOf),
    )
    .addOption(new Option('--limit <n>', 'how many at most').default(20).argParser(wholeNumber(1, 1_000_000)))
    .option('--all', 'all there are')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags) => run((context) => list(context, flags)))
}

const EXAMPLES = `
Examples:
  verbatim list --status FAILED
  verbatim list --all --json | jq -r '.jobs[].jobId'`

async function list(context: Context, { status, limit, all }: Flags): Promise<number> {
  const { jobs, more } = await collect(context, status, all ? Number.POSITIVE_INFINITY : limit)
  const { out } = context
  if (out.wantsJson) out.json({ jobs, more })
  else {
    out.data(jobs.length === 0 ? '' : table([HEAD, ...jobs.map(rowOf)]))
    if (jobs.length === 0) out.say('No jobs.')
    if (more) out.say(`There are more: --all, or --limit ${limit * 5}.`)
  }
  return 0
}

async function collect({ client, signal }: Context, status: Status | undefined, wanted: number) {
  const jobs: JobStatus[] = []
  let cursor: string | undefined
  do {
    const page = await client.list({ status, cursor, limit: Math.min(PAGE, wanted - jobs.length) }, signal)
    jobs.push(...page.jobs)
    cursor = page.cursor
  } while (cursor !== undefined && jobs.length < wanted)
  return { jobs, more: cursor !== undefined }
}

const HEAD = ['JOB', 'STATUS', 'DONE', 'SHARDS', 'LENGTH', 'MADE', 'RECORDING']

function rowOf(job: JobStatus): string[] {
  const length = 'durationMs' in job && job.durationMs !== undefined ? lengthText(job.durationMs) : ''
  // Swedish writes local time as 2026-11-20 12:54:00.
  const made = new Date(job.createdAt).toLocaleString('sv').slice(0, 16)
  return [
    job.jobId,
    job.status,
    percentText(job.progress),
    shardsText(job),
    length,
    made,
    clean(job.filename),
  ]
}

/** `26/60`, once all are done `60`; nothing for a recording that is heard in one piece. */
function shardsText(job: JobStatus): string {
  if (job.status === 'PROCESSING' && job.shards) return `${job.shards.done}/${job.shards.total}`
  return job.status === 'COMPLETED' && job.usage && job.usage.shards > 1 ? String(job.usage.shards) : ''
}

/** Any case, as people type. */
function statusOf(text: string): Status {
  const status = STATUSES.find((one) => one === text.toUpperCase())
  if (!status) throw new InvalidArgumentError(`Choose from ${STATUSES.join(', ')}.`)
  return status
}
