import type { Region } from '../audio/voice.ts'
import type { VerbatimError } from '../errors.ts'
import type { Job, JobError } from '../job.ts'
import { moveJob } from '../move.ts'
import { clockText } from '../transcript/gaps.ts'
import { jobError, keepRecording, type LeavePorts, tidy } from './leave.ts'
import { rangeOf, readPlan, soundMs } from './plan-store.ts'

/**
 * Ends a shard that nobody can hear: as a gap where the job's owner allows that, else as the end of the job. `past`: the
 * job has ended meanwhile.
 */
export async function failedShard(
  ports: LeavePorts,
  job: Job,
  { shard, workMs, error }: { shard: number; workMs: number; error: VerbatimError },
): Promise<'gap' | 'failed' | 'past'> {
  const planned = (await readPlan(ports.objects, job))?.shards[shard]
  if (job.options.allowPartial) {
    const audioMs = planned ? soundMs(planned) : 0
    await ports.shards.end(job, { shard, audioMs, workMs, engineMs: 0, failed: error.code })
    return 'gap'
  }
  const range = planned && rangeOf(planned)
  const reason: JobError = {
    ...jobError(error),
    ...(range && { message: `${error.message} ${where(range)}`, range }),
  }
  const moved = await moveJob(ports, job, (now) =>
    now.status === 'PROCESSING' ? { status: 'FAILED', error: reason } : null,
  )
  if (moved.outcome !== 'moved') {
    await tidy(ports, job, moved.outcome === 'gone' ? undefined : moved.job.status)
    return 'past'
  }
  await keepRecording(ports, job)
  await ports.ended?.(job)
  return 'failed'
}

const where = ({ startMs, endMs }: Region): string =>
  `It happened between ${clockText(startMs)} and ${clockText(endMs)} of the recording.`
