import type { Command } from 'commander'
import type { Run } from '../context.ts'
import { forEachId } from '../report.ts'
import { jobIdHelp } from './options.ts'

export function addCancel(program: Command, run: Run): void {
  program
    .command('cancel')
    .description('stop jobs that are still on their way')
    .argument('<jobId...>', jobIdHelp)
    .addHelpText('after', '\nExample:\n  verbatim cancel 01JD7Q4N1S8ZK5W0V3T9XHMR2C')
    .action((jobIds: string[]) =>
      run(({ client, out, signal }) =>
        forEachId(out, signal, jobIds, async (jobId) => {
          const job = await client.cancel(jobId, signal)
          if (out.wantsJson) out.json(job)
          else out.data(`${job.jobId}  ${job.status}\n`)
        }),
      ),
    )
}
