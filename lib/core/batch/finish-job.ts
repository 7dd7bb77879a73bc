import type { JobIn, Usage } from '../job.ts'
import type { Log } from '../ports.ts'
import type { Transcript } from '../transcript/shape.ts'
import { publish, type StitchPorts } from './5-stitch.ts'
import type { Hold, Lost } from './lease.ts'
import { nameSpeakers, type SpeakerPorts } from './name-speakers.ts'

/** Ends a job that we hold with its transcript, to which the speakers' names are added where they are known. */
export async function finishJob(
  ports: StitchPorts & SpeakerPorts,
  job: JobIn<'PROCESSING'>,
  joined: Transcript,
  took: Pick<Usage, 'audioMs' | 'workMs' | 'engineMs'>,
  hold: Hold,
  log: Log,
): Promise<'finished' | Lost> {
  const transcript = await nameSpeakers(ports, job, joined)
  const outcome = await publish(ports, job, transcript, took, hold)
  const words = transcript.segments.reduce((sum, segment) => sum + segment.words.length, 0)
  log.info('job transcribed', { code: outcome, audioMs: transcript.durationMs, words, ms: took.workMs })
  return outcome
}
