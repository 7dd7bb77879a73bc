import { toVerbatimError, VerbatimError } from '../errors.ts'
import type { Job, JobIn } from '../job.ts'
import { type JobRef, transcriptKey } from '../keys.ts'
import type { Clock, Log, ObjectStore } from '../ports.ts'
import { type Plan, type PlanPorts, planRecording } from './3-plan.ts'
import { decideLanguage, type HearPorts, hearWindows } from './4-hear.ts'
import { dropWork, publish, type StitchPorts, stitch } from './5-stitch.ts'
import { failAbandoned } from './abandoned.ts'
import type { Ended } from './announce-end.ts'
import { eraseObjects } from './erase.ts'
import { type Hold, holdJob, type LeasePorts, type Lost, type Taken, takeJob } from './lease.ts'
import type { LongWork, WorkMessage } from './messages.ts'
import { nameSpeakers, type SpeakerPorts } from './name-speakers.ts'

export interface WorkPorts extends LeasePorts, PlanPorts, HearPorts, StitchPorts, SpeakerPorts {
  readonly clock: Clock
  readonly log: Log
  /** Only of a worker that must leave long recordings to others. */
  readonly longWork?: LongWork
  readonly ended?: Ended
}

/**
 * How one delivery of a work message ended. `again`: it must be delivered once more. `elsewhere`: the recording is too
 * long for this worker, and others have been told.
 */
export interface WorkOutcome {
  readonly outcome: 'completed' | 'failed' | 'stopped' | 'nothing-to-do' | 'again' | 'elsewhere'
}

/**
 * Takes a job and brings it to its end: plan, hear, stitch. `owner` names this delivery; `drain` fires when the
 * worker is asked to stop, which gives the job back unharmed. Passing errors give it back for another attempt,
 * lasting ones (and too many passing ones) end it as FAILED.
 */
export const workOn =
  (ports: WorkPorts) =>
  async (ref: JobRef, owner: string, drain: AbortSignal): Promise<WorkOutcome> => {
    const taken = await takeJob(ports, ref, owner)
    if (taken.outcome === 'busy') return { outcome: 'again' }
    if (taken.outcome !== 'taken') {
      await tidy(ports, ref, taken)
      await ports.ended?.(ref)
      return { outcome: 'nothing-to-do' }
    }

    const log = ports.log.with({ jobId: ref.jobId, tenant: ref.tenant })
    log.info('job taken', { attempt: taken.job.attempt })
    if (taken.job.attempt > ports.settings.maxAttempts) {
      log.error('job abandoned', { code: await failAbandoned(ports)(ref, owner) })
      await ports.ended?.(ref)
      return { outcome: 'failed' }
    }
    const hold = holdJob(ports, ref, owner)
    try {
      const outcome = await transcribe(ports, taken.job, hold, AbortSignal.any([hold.signal, drain]), log)
      if (outcome !== 'finished') return await leave(ports, ref, outcome, log)
    } catch (error) {
      return await giveUp(ports, ref, hold, drain, error, log)
    } finally {
      hold.drop()
    }
    // Not in the try: the job is COMPLETED, and no error may undo that. The next delivery tidies up then.
    await dropWork(ports.objects, ref)
    await ports.ended?.(ref)
    return { outcome: 'completed' }
  }

/** What a worker that was killed after the end of its job has left. */
async function tidy({ objects }: WorkPorts, ref: JobRef, found: Exclude<Taken, { outcome: 'taken' }>) {
  const status = found.outcome === 'past' ? found.job.status : undefined
  if (found.outcome === 'gone' || status === 'CANCELLED') await eraseObjects(objects, ref)
  if (status === 'COMPLETED') await dropWork(objects, ref)
  if (status === 'FAILED') await keepRecording(objects, ref)
}

/** A job that failed keeps nothing else: files of a transcript that was half written would have no owner. */
async function keepRecording(objects: ObjectStore, ref: JobRef): Promise<void> {
  await dropWork(objects, ref)
  await objects.remove(await objects.list(transcriptKey(ref, '')))
}

/** The recording is longer than this worker may hear. */
class TooLongHere extends Error {}

/** Decodes at most what this worker may hear: one sample more is all it needs to know. */
async function planHere(ports: WorkPorts, job: Job, signal: AbortSignal): Promise<Plan> {
  const { settings, longWork } = ports
  const maxDurationMs = Math.min(settings.maxDurationMs, longWork?.fromMs ?? Infinity)
  try {
    return await planRecording({ ...ports, settings: { ...settings, maxDurationMs } }, job, signal)
  } catch (error) {
    const tooLong = error instanceof VerbatimError && error.code === 'too-long'
    throw tooLong && maxDurationMs < settings.maxDurationMs ? new TooLongHere() : error
  }
}

async function transcribe(
  ports: WorkPorts,
  job: JobIn<'PROCESSING'>,
  hold: Hold,
  signal: AbortSignal,
  log: Log,
): Promise<'finished' | Lost> {
  const begin = ports.clock()
  const worked = () => (job.workMs ?? 0) + ports.clock() - begin
  const plan = await planHere(ports, job, signal)
  try {
    const { durationMs } = plan.recording
    hold.note({ durationMs })
    log.info('recording planned', {
      audioMs: durationMs,
      count: plan.windows.length,
      ms: ports.clock() - begin,
    })
    const language = await decideLanguage(ports, plan, job.options.language, signal)
    if (language) hold.note({ language: language.code })
    const { prompt } = job.options
    const heard = await hearWindows(ports, job, plan, {
      ...(prompt !== undefined && { prompt }),
      language: language?.code ?? 'en',
      signal,
      onHeard: (share) => hold.note({ progress: share, workMs: worked() }),
    })
    const transcript = await nameSpeakers(ports, job, stitch(ports, job, plan, heard, language))
    const outcome = await publish(ports, job, transcript, hold)
    const words = transcript.segments.reduce((sum, segment) => sum + segment.words.length, 0)
    log.info('job transcribed', { code: outcome, audioMs: durationMs, words, ms: worked() })
    return outcome
  } finally {
    hold.note({ workMs: worked() })
    await plan.recording.dispose()
  }
}

/** The job is no longer ours. One that was stopped must leave nothing behind, whatever was written meanwhile. */
async function leave({ objects }: WorkPorts, ref: JobRef, lost: Lost, log: Log): Promise<WorkOutcome> {
  log.info('job left', { code: lost })
  if (lost === 'stopped') await eraseObjects(objects, ref)
  if (lost === 'ended') await dropWork(objects, ref)
  return { outcome: 'stopped' }
}

/** Decides what an error means for the job. */
async function giveUp(
  ports: WorkPorts,
  ref: JobRef,
  hold: Hold,
  drain: AbortSignal,
  thrown: unknown,
  log: Log,
): Promise<WorkOutcome> {
  const { objects, settings, clock } = ports
  if (hold.lost) return leave(ports, ref, hold.lost, log)
  const released = { owner: 'nobody', until: clock() }
  if (drain.aborted || thrown instanceof TooLongHere) {
    const outcome = await hold.finish((job) => ({ ...job, lease: released }))
    if (outcome !== 'finished') return leave(ports, ref, outcome, log)
    return drain.aborted ? giveBack(log) : sendOn(ports, ref, log)
  }
  const error = toVerbatimError(thrown)
  if (error.code === 'internal') log.error('unforeseen error', stackOf(error))
  let again = false
  const outcome = await hold.finish((job) => {
    const failures = job.failures + 1
    again = error.traits.retry && failures < settings.maxFailures
    return again ? { ...job, failures, lease: released } : { status: 'FAILED', error: jobError(error) }
  })
  if (outcome !== 'finished') return leave(ports, ref, outcome, log)
  log.warn(again ? 'attempt failed' : 'job failed', { code: error.code })
  if (again) return { outcome: 'again' }
  await keepRecording(objects, ref)
  await ports.ended?.(ref)
  return { outcome: 'failed' }
}

function giveBack(log: Log): WorkOutcome {
  log.info('job given back')
  return { outcome: 'again' }
}

/** The job is released by now: if this fails, its message comes again, and the same is found out again. */
async function sendOn({ longWork }: WorkPorts, { tenant, jobId }: JobRef, log: Log): Promise<WorkOutcome> {
  await longWork?.queue.send(JSON.stringify({ tenant, jobId } satisfies WorkMessage))
  log.info('job sent to the workers of long recordings')
  return { outcome: 'elsewhere' }
}

function jobError({ code, message, hint }: VerbatimError) {
  return { code, message, hint }
}

function stackOf(error: VerbatimError) {
  const source = error.cause instanceof Error ? error.cause : error
  return { stack: source.stack ?? '' }
}
