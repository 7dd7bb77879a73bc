import { isTerminal, type JobIn } from '../job.ts'
import { sessionPrefix, transcriptKey, uploadKey } from '../keys.ts'
import type { JobStore, ObjectStore } from '../ports.ts'
import type { Session } from '../session.ts'
import type { BatchSettings } from '../settings.ts'
import { Transcript } from '../transcript/shape.ts'
import { reviseSegments } from './9-revise.ts'
import { changeSession } from './change.ts'
import type { LivePorts } from './ports.ts'
import { publishFinals } from './publish.ts'
import { wholeRecording, wholeSizeBytes } from './sound/recording.ts'
import type { LiveState } from './state.ts'

export type FinishPorts = Pick<LivePorts, 'sessions' | 'objects' | 'clock' | 'log' | 'sinks'> & {
  readonly jobs: JobStore
  readonly objects: ObjectStore
  readonly newJobId: () => string
  readonly settings: Pick<BatchSettings, 'uploadTtlMs'>
}

/** Sinks that stay away for so long after the end do not keep a session from being closed. */
const SINKS_LATE_MS = 3_600_000
/** A commit takes so many segments at most. */
const AT_ONCE = 90

/**
 * What is to be done after the last live word: the whole recording goes through the batch lane, and when that has
 * ended, its words take the place of the live ones. Called again until the session is CLOSED; each call does what can
 * be done now, and every part of it can be repeated.
 */
export const finishSession =
  (ports: FinishPorts) =>
  async (session: Session, live: LiveState): Promise<void> => {
    const published = await publishFinals(ports)(session, live)
    const late = ports.clock() - live.at > SINKS_LATE_MS
    const behind = ports.sinks.some(({ name }) => (published[name] ?? 0) < live.nextSegment)
    if (live.ingest.endMs === 0) return await end(ports, session, {})
    const jobId = session.jobId ?? (await chooseJob(ports, session))
    if (jobId === undefined) return
    const job = (await ports.jobs.get(session.tenant, jobId)) ?? (await makeJob(ports, session, live, jobId))
    if (job.status === 'UPLOADING') {
      const { endMs } = live.ingest
      return await wholeRecording(ports.objects, session, { endMs, key: uploadKey(job) })
    }
    if (!isTerminal(job.status) || (behind && !late)) return
    if (job.status !== 'COMPLETED') {
      const error = job.status === 'FAILED' ? job.error.code : undefined
      return await end(ports, session, error ? { lastError: error } : {})
    }
    if (!(await revise(ports, session, live, job))) return
    // The job has the whole recording: the chunks and the sound made of them are of no use any more.
    await ports.objects.remove(await ports.objects.list(sessionPrefix(session)))
    await end(ports, session, { revision: 2 })
  }

async function end(ports: FinishPorts, session: Session, last: Partial<Session>): Promise<void> {
  await changeSession(ports, session, ({ state }) =>
    state === 'CLOSING' ? { ...last, state: 'CLOSED' } : undefined,
  )
  ports.log.info('session closed', { tenant: session.tenant })
}

/** The id stands in the session before there is a job, so that there is never a second one. */
async function chooseJob(ports: FinishPorts, session: Session): Promise<string | undefined> {
  const changed = await changeSession(ports, session, ({ jobId }) =>
    jobId === undefined ? { jobId: ports.newJobId() } : undefined,
  )
  return changed?.jobId
}

/** The upload that no client makes: the recording's arrival is what starts the work, as with any other. */
async function makeJob(ports: FinishPorts, session: Session, { ingest, language }: LiveState, jobId: string) {
  const now = ports.clock()
  const code = session.language ?? language?.code
  const job: JobIn<'UPLOADING'> = {
    ...{ jobId, tenant: session.tenant, version: 1, status: 'UPLOADING', createdAt: now, updatedAt: now },
    ...{
      filename: `${session.sessionId}.wav`,
      contentType: 'audio/wav',
      sizeBytes: wholeSizeBytes(ingest.endMs),
    },
    upload: { expiresAt: now + ports.settings.uploadTtlMs },
    options: {
      ...{ channels: 'mix', formats: ['json', 'srt', 'vtt', 'txt'], sessionId: session.sessionId },
      ...(code !== undefined && { language: code }),
      ...(session.prompt !== undefined && { prompt: session.prompt }),
    },
  }
  await ports.jobs.create(job)
  return job
}

/** True when all of it is written. */
async function revise(
  { sessions, objects, clock, log }: FinishPorts,
  session: Session,
  live: LiveState,
  job: JobIn<'COMPLETED'>,
): Promise<boolean> {
  const bytes = await objects.get(transcriptKey(job, 'json'))
  if (!bytes) return true
  const transcript = Transcript.parse(JSON.parse(new TextDecoder().decode(bytes)))
  const words = transcript.segments.flatMap((segment) => segment.words)
  const speakers = transcript.segments.flatMap((segment) => segment.words.map(() => segment.speaker))
  const finals = await allFinals(sessions, session)
  const revised = reviseSegments(finals, words, speakers)
  let state = live
  for (let from = 0; from < revised.length; from += AT_ONCE) {
    state = {
      ...{
        ...state,
        step: state.step + 1,
        at: clock(),
        nextSegment: Math.max(live.nextSegment, revised.length),
      },
      ...{ change: state.change + 1, revisions: state.revisions + 1 },
    }
    const outcome = await sessions.commit(session, state, revised.slice(from, from + AT_ONCE))
    if (outcome !== 'written') return false
  }
  log.info('session revised', { tenant: session.tenant, jobId: job.jobId, count: revised.length })
  return true
}

async function allFinals(sessions: FinishPorts['sessions'], session: Session) {
  const finals = await sessions.segments(session, { limit: 1000 })
  for (let last = finals.at(-1); last; ) {
    const more = await sessions.segments(session, { after: last.id, limit: 1000 })
    finals.push(...more)
    last = more.at(-1)
  }
  return finals
}
