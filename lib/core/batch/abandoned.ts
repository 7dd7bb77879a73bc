import { VerbatimError } from '../errors.ts'
import { isTerminal } from '../job.ts'
import type { JobRef } from '../keys.ts'
import { moveJob } from '../move.ts'
import type { Clock, JobStore, ObjectStore } from '../ports.ts'
import { dropWork } from './5-stitch.ts'

export interface DeadLetterPorts {
  readonly jobs: JobStore
  readonly objects: ObjectStore
  readonly clock: Clock
}

/** Ends a job that nobody could bring further, so that its owner is told and does not wait for ever. */
export const failAbandoned =
  (ports: DeadLetterPorts) =>
  async (ref: JobRef): Promise<'failed' | 'past' | 'gone'> => {
    const { code, message, hint } = new VerbatimError(
      'engine-crashed',
      'The worker gave up on this recording.',
    )
    const error = { code, message, hint }
    const moved = await moveJob(ports, ref, ({ status }) =>
      isTerminal(status) ? null : { status: 'FAILED', error },
    )
    if (moved.outcome === 'gone') return 'gone'
    await dropWork(ports.objects, ref)
    return moved.outcome === 'moved' ? 'failed' : 'past'
  }
