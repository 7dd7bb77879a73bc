import type { Command } from 'commander'
import type { JobStatus } from '../../lib/core/contract.ts'
import type { Context, Run } from '../context.ts'
import { gapsText, howFar } from '../job-text.ts'
import { forEachId } from '../report.ts'
import { clean, lengthText } from '../text.ts'
import { jobIdHelp } from './options.ts'

export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .description('say how far jobs are')
    .argument('<jobId...>', jobIdHelp)
    .addHelpText('after', EXAMPLES)
    .action((jobIds: string[]) => run((context) => status(context, jobIds)))
}

const EXAMPLES = `
Examples:
  verbatim status 01JD7Q4N1S8ZK5W0V3T9XHMR2C
  verbatim status 01JD7Q4N1S8ZK5W0V3T9XHMR2C --json | jq -r .status`

function status({ client, out, signal }: Context, jobIds: string[]): Promise<number> {
  return forEachId(out, signal, jobIds, async (jobId) => {
    const job = await client.status(jobId, signal)
    if (out.wantsJson) out.json(job)
    else out.data(`${statusLine(job)}\n`)
  })
}

function statusLine(job: JobStatus): string {
  const heard = 'durationMs' in job && job.durationMs !== undefined ? [lengthText(job.durationMs)] : []
  const language = 'language' in job && job.language !== undefined ? [job.language] : []
  const gaps = job.status === 'COMPLETED' && job.gaps ? [`gaps: ${gapsText(job.gaps)}`] : []
  const error = 'error' in job ? [`${job.error.code}: ${job.error.message}`] : []
  return [job.jobId, job.status, ...howFar(job), ...heard, ...language, job.filename, ...gaps, ...error]
    .map(clean)
    .join('  ')
}
