import type { Command } from 'commander'
import { confirmed } from '../ask.ts'
import type { Context, Run } from '../context.ts'
import { forEachId } from '../report.ts'
import { jobIdHelp } from './options.ts'

export function addRm(program: Command, run: Run): void {
  program
    .command('rm')
    .description('erase jobs: recording, transcript and record, for good')
    .argument('<jobId...>', jobIdHelp)
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', EXAMPLES)
    .action((jobIds: string[], { yes }: { yes?: boolean }) =>
      run((context) => rm(context, [...new Set(jobIds)], yes === true)),
    )
}

const EXAMPLES = `
Examples:
  verbatim rm 01JD7Q4N1S8ZK5W0V3T9XHMR2C
  verbatim list --status FAILED --all --json | jq -r '.jobs[].jobId' | xargs verbatim rm --yes`

async function rm(context: Context, jobIds: string[], yes: boolean): Promise<number> {
  const { client, out, signal } = context
  const what = jobIds.length === 1 ? `job ${jobIds[0]}` : `${jobIds.length} jobs`
  if (!yes && !(await confirmed(context, `Erase ${what} with recording and transcript, for good?`))) {
    out.warn('Nothing erased.')
    return 0
  }
  return forEachId(out, signal, jobIds, async (jobId) => {
    await client.remove(jobId, signal)
    if (out.wantsJson) out.json({ jobId, erased: true })
    else out.data(`${jobId}  erased\n`)
  })
}
