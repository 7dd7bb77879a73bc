import { eraseJob } from '../../../lib/core/batch/erase.ts'
import { VerbatimError } from '../../../lib/core/errors.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import type { Decoder, Recording } from '../../../lib/core/ports.ts'
import { createMemoryObjects } from '../../support/memory.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { concat, slice } from '../../support/speak.ts'
import { queueJob, THREE } from './recordings.ts'

// Ports for hundreds of runs of the same recording, which is heard in three shards.

/** Three bursts, three shards. A heart so slow that the calls of a worker are the same in every run. */
const THREE_SHARDS = { shardMs: 2000, heartbeatMs: 3_600_000 }

/**
 * The ports of all runs in a file. Starting ffmpeg takes longer than all the rest of a run: it decodes the recording once,
 * and from then on the sound comes from memory. So do all objects, and nothing here has to outlast a power cut.
 */
export async function createLongPorts(): Promise<TestPorts> {
  const ports = await createPorts(THREE_SHARDS)
  ports.db.sql.exec('PRAGMA synchronous = OFF')
  const job = await queueJob(ports, THREE)
  const file = (await ports.objects.toFile(uploadKey(job)))!
  const pcm16: Int16Array[] = []
  const limits = { maxDurationMs: 60_000, timeoutMs: 60_000 }
  const onPcm = (_: number, piece: Int16Array) => void pcm16.push(piece.slice())
  const recording = await ports.decoder.decode(file.path, { channels: 'mix', limits, onPcm })
  await Promise.all([recording.dispose(), file.release(), eraseJob(ports)(job.tenant, job.jobId)])
  const { durationMs, channels, truncated } = recording
  return { ...ports, ...inMemory(ports, { durationMs, channels, truncated }, concat(pcm16)) }
}

/** Objects and decoder, and how many files and recordings of theirs have not been given back. */
function inMemory({ objects }: TestPorts, about: Omit<Recording, 'read' | 'dispose'>, pcm16: Int16Array) {
  let held = 0
  const hold = () => {
    held++
    return async () => void held--
  }
  const memory = createMemoryObjects()
  const toFile = async (key: string) => (await memory.get(key)) && { path: 'in memory', release: hold() }
  const decoder: Decoder = {
    async decode(_, { onPcm, signal }) {
      if (signal?.aborted) throw new VerbatimError('cancelled', 'The decoder was stopped.')
      onPcm?.(0, pcm16)
      const read: Recording['read'] = async (__, fromMs, toMs) => slice(pcm16, fromMs, toMs)
      return { ...about, read, dispose: hold() }
    },
  }
  return { objects: { ...objects, ...memory, toFile }, decoder, heldRecordings: () => held }
}
