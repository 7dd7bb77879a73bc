import { VerbatimError } from '../errors.ts'
import { isTerminal } from '../job.ts'
import { type JobRef, parseUploadKey, uploadKey } from '../keys.ts'
import { moveJob } from '../move.ts'
import type { Clock, JobStore, ObjectStore, Queue } from '../ports.ts'
import type { Ended } from './announce-end.ts'
import type { LongWork, WorkMessage } from './messages.ts'

export interface AcceptPorts {
  readonly jobs: JobStore
  readonly objects: ObjectStore
  readonly work: Queue
  readonly longWork?: LongWork
  readonly clock: Clock
  readonly ended?: Ended
}

/** What became of an object's creation. Only `queued` leads to work. */
export type Accepted = 'queued' | 'not-an-upload' | 'unknown-job' | 'already-past' | 'wrong-size'

/**
 * A recording has arrived: its job becomes QUEUED and a worker is told. Events come late, twice and out of
 * order, so every step can be repeated: a job that is QUEUED already is announced again (the first message may
 * never have been sent), one that has moved on is left alone. Bytes that no job wants are deleted.
 */
export const acceptUpload =
  (ports: AcceptPorts) =>
  async (key: string): Promise<Accepted> => {
    const ref = parseUploadKey(key)
    if (!ref) return 'not-an-upload'
    const { objects, work, longWork } = ports
    const object = await objects.head(key)
    const moved = await moveJob(ports, ref, (job) => {
      if (job.status !== 'UPLOADING' || !object) return null
      if (object.sizeBytes === job.sizeBytes) return { status: 'QUEUED' }
      return { status: 'FAILED', error: wrongSize(object.sizeBytes, job.sizeBytes) }
    })
    if (moved.outcome === 'gone') return discard(objects, ref, 'unknown-job')
    const { status } = moved.job
    if (status === 'FAILED') await ports.ended?.(ref)
    if (status === 'FAILED' && moved.outcome === 'moved') return discard(objects, ref, 'wrong-size')
    if (status === 'CANCELLED' || status === 'EXPIRED') return discard(objects, ref, 'already-past')
    if (status !== 'QUEUED' || isTerminal(status)) return 'already-past'
    // How long it is nobody knows before it is decoded; that it is too large is known now.
    const queue = longWork && moved.job.sizeBytes > longWork.fromBytes ? longWork.queue : work
    await queue.send(JSON.stringify(ref satisfies WorkMessage))
    return 'queued'
  }

function wrongSize(actual: number, expected: number) {
  const { code, message, hint } = new VerbatimError(
    'bad-audio',
    `${actual} bytes arrived where ${expected} were announced.`,
    { hint: 'Upload it again and send exactly the announced length.' },
  )
  return { code, message, hint }
}

async function discard(objects: ObjectStore, ref: JobRef, result: Accepted): Promise<Accepted> {
  await objects.remove([uploadKey(ref)])
  return result
}
