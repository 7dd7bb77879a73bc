import type { Job, JobIn } from '../job.ts'
import { type JobRef, transcriptKey, workPrefix } from '../keys.ts'
import type { Clock, Engine, ObjectStore } from '../ports.ts'
import { assemble } from '../transcript/assemble.ts'
import { guardSegments } from '../transcript/guards.ts'
import type { Transcript } from '../transcript/shape.ts'
import { CONTENT_TYPES, write } from '../transcript/write.ts'
import type { Plan } from './3-plan.ts'
import type { HeardWindow, SpokenLanguage } from './4-hear.ts'
import type { Hold, Lost } from './lease.ts'

export interface StitchPorts {
  readonly objects: ObjectStore
  readonly engine: Engine
  readonly clock: Clock
}

/** Joins what was heard into the transcript, less what the engine most likely made up. */
export function stitch(
  { engine, clock }: StitchPorts,
  job: Job,
  { recording }: Plan,
  heard: readonly HeardWindow[],
  language: SpokenLanguage | null,
): Transcript {
  return assemble({
    jobId: job.jobId,
    createdAt: new Date(clock()).toISOString(),
    durationMs: recording.durationMs,
    language,
    engine: engine.info,
    separate: job.options.channels === 'separate',
    windows: heard.map((window) => ({ ...window, segments: guardSegments(window.segments).kept })),
    warnings: recording.truncated ? ['truncated'] : [],
  })
}

/** Writes the files, then moves the job to COMPLETED: whoever sees COMPLETED can download. */
export async function publish(
  { objects, clock }: StitchPorts,
  job: JobIn<'PROCESSING'>,
  transcript: Transcript,
  hold: Hold,
): Promise<'finished' | Lost> {
  const formats = new Set([...job.options.formats, 'json' as const])
  await Promise.all(
    Array.from(formats, (format) =>
      objects.put(transcriptKey(job, format), write(transcript, format), CONTENT_TYPES[format]),
    ),
  )
  return hold.finish(({ startedAt }) => ({
    status: 'COMPLETED',
    startedAt,
    completedAt: clock(),
    durationMs: transcript.durationMs,
    ...(transcript.language && { language: transcript.language.code }),
  }))
}

/** The windows' results are of no use once the transcript is written. */
export async function dropWork(objects: ObjectStore, ref: JobRef): Promise<void> {
  await objects.remove(await objects.list(workPrefix(ref)))
}
