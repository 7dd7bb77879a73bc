import type { Job } from '../job.ts'
import { speakerTurns } from '../live/7-speakers.ts'
import { nameTranscript } from '../live/name-transcript.ts'
import type { SessionStore } from '../live/ports.ts'
import type { SpeakerEvent } from '../session.ts'
import type { Transcript } from '../transcript/shape.ts'

export interface SpeakerPorts {
  /** Left out where there are no live sessions. */
  readonly sessions?: Pick<SessionStore, 'get' | 'live' | 'speakers'>
}

/** The transcript of a live session's recording gets the names of that session's speakers; any other stays as it is. */
export async function nameSpeakers(
  { sessions }: SpeakerPorts,
  { tenant, jobId, options: { sessionId } }: Job,
  transcript: Transcript,
): Promise<Transcript> {
  if (!sessions || sessionId === undefined) return transcript
  const ref = { tenant, sessionId }
  // Another session may have the name by now.
  if ((await sessions.get(ref))?.jobId !== jobId) return transcript
  const zeroAt = (await sessions.live(ref))?.ingest.zeroAt
  const events: SpeakerEvent[] = zeroAt === undefined ? [] : await sessions.speakers(ref)
  if (zeroAt === undefined || events.length === 0) return transcript
  const words = transcript.segments.flatMap((segment) => segment.words)
  return nameTranscript(transcript, speakerTurns(events, words, zeroAt))
}
