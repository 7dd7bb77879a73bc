import { type EraseJobPorts, eraseJob } from '../batch/erase.ts'
import { toVerbatimError } from '../errors.ts'
import { sessionPrefix } from '../keys.ts'
import type { Session, SessionRef } from '../session.ts'
import { announce } from './1-chunk.ts'
import { sessionOf } from './10-read.ts'
import type { LivePorts } from './ports.ts'

export type EraseSessionPorts = EraseJobPorts &
  Pick<LivePorts, 'sessions' | 'objects' | 'live'> & {
    /** Forgets what sinks have of a session, where they can. */
    readonly forgetOutside?: (session: Session) => Promise<void>
  }

/**
 * Removes the sound of a session that is gone: what a worker has written that was at it meanwhile, or what outlived its
 * time. In this order: what is listed before the session is found missing can't be of a new one of the same name.
 */
export async function removeLeftovers(
  { sessions, objects }: Pick<LivePorts, 'sessions' | 'objects'>,
  ref: SessionRef,
): Promise<void> {
  const left = await objects.list(sessionPrefix(ref))
  if (left.length > 0 && !(await sessions.get(ref))) await objects.remove(left)
}

/**
 * Deletes everything there is of a session: sound, words, names, the job of the whole recording, records. The head
 * record goes last, so an erasure that was interrupted can be asked for again.
 */
export const eraseSession =
  (ports: EraseSessionPorts) =>
  async (ref: SessionRef): Promise<void> => {
    const session = await sessionOf(ports, ref)
    if (session.jobId !== undefined) {
      await eraseJob(ports)(ref.tenant, session.jobId).catch((error: unknown) => {
        if (toVerbatimError(error).code !== 'unknown-job') throw error
      })
    }
    await ports.objects.remove(await ports.objects.list(sessionPrefix(ref)))
    await ports.forgetOutside?.(session)
    await ports.sessions.remove(ref)
    // A worker that is at it just now may write once more; who comes after it in the queue removes that.
    await announce(ports, ref, `erased-${ports.clock()}`)
  }
