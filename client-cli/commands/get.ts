import type { Command } from 'commander'
import type { JobStatus } from '../../lib/core/contract.ts'
import { completed } from '../client.ts'
import type { Context, Run } from '../context.ts'
import type { DeliveryOptions } from '../delivery.ts'
import { deliver, deliveredJson, deliveryOf, type Output, planOutputs } from '../delivery.ts'
import { tellEnd } from '../job-text.ts'
import { pooled } from '../pool.ts'
import { createProgress, type Progress } from '../progress.ts'
import { reportFailure, worstOf } from '../report.ts'
import { jobIdHelp, withDeliveryOptions } from './options.ts'

type Flags = DeliveryOptions & { readonly wait?: boolean; readonly timeout?: number }

/** Waiting costs a small request now and then, so many jobs may be waited for at once. */
const AT_ONCE = 4

export function addGet(program: Command, run: Run): void {
  const command = program
    .command('get')
    .description('download the transcripts of jobs')
    .argument('<jobId...>', jobIdHelp)
    .option('-w, --wait', 'wait for jobs that are still on their way')
  withDeliveryOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((jobIds: string[], flags: Flags) => run((context) => get(context, [...new Set(jobIds)], flags)))
}

const EXAMPLES = `
Examples:
  verbatim get 01JD7Q4N1S8ZK5W0V3T9XHMR2C
  verbatim get 01JD7Q4N1S8ZK5W0V3T9XHMR2C --wait -f srt -o subtitles
  verbatim get 01JD7Q4N1S8ZK5W0V3T9XHMR2C -f json -o - | jq .text`

type Found = { readonly jobId: string } & ({ readonly job: JobStatus } | { readonly error: unknown })

async function get(context: Context, jobIds: string[], flags: Flags): Promise<number> {
  const { client, out, signal } = context
  const found: Found[] = await Promise.all(
    pooled(jobIds, AT_ONCE, (jobId) =>
      client.status(jobId, signal).then(
        (job) => ({ jobId, job }),
        (error: unknown) => ({ jobId, error }),
      ),
    ),
  )
  signal.throwIfAborted()
  const recordings = found.map((one) => ({ name: 'job' in one ? one.job.filename : one.jobId, folder: '' }))
  const plan = planOutputs(deliveryOf(flags, context, jobIds.length === 1), recordings)

  const progress = createProgress(out)
  const work = (one: Found, i: number) => getOne(context, one, plan[i]!, flags, progress)
  const results = pooled(found, AT_ONCE, work)
  for (const result of results) {
    for (const text of (await result).texts) if (!out.wantsJson) out.data(text)
  }
  return worstOf((await Promise.all(results)).map(({ exit }) => exit))
}

async function getOne(
  context: Context,
  found: Found,
  outputs: readonly Output[],
  flags: Flags,
  progress: Progress,
): Promise<{ exit: number; texts: Uint8Array[] }> {
  const { client, out, signal } = context
  const { jobId } = found
  if (outputs.length === 0) {
    out.say(`${jobId}: its transcripts are there already.`)
    return { exit: 0, texts: [] }
  }
  const row = progress.row('job' in found ? found.job.filename : jobId)
  try {
    if ('error' in found) throw found.error
    const wait = { signal, timeoutMs: flags.timeout, onStatus: row.status }
    const job = completed(flags.wait ? await client.wait(jobId, wait) : found.job)
    const delivered = await deliver(context, jobId, outputs, flags.overwrite === true)
    const { filename, status, durationMs, language, usage, gaps } = job
    tellEnd(out, filename, job)
    if (out.wantsJson)
      out.json({ jobId, filename, status, durationMs, language, usage, gaps, ...deliveredJson(delivered) })
    return { exit: 0, texts: Object.values(delivered.texts) }
  } catch (error) {
    row.end()
    if (signal.aborted) out.warn(`${jobId}: goes on; \`verbatim get ${jobId} --wait\` waits again.`)
    const thrown = signal.aborted ? signal.reason : error
    return { exit: reportFailure(out, thrown, { label: jobId, json: { jobId } }), texts: [] }
  } finally {
    row.end()
  }
}
