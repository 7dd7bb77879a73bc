import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import type { QueuePair } from './queue-pair.ts'

/** What GPU workers take from: at least one of the two. */
export interface GpuQueues {
  /** Recordings: all, or the long ones where there are CPU workers too. */
  readonly batch: QueuePair | undefined
  readonly live: QueuePair | undefined
}

export const gpuQueues = ({ compute, live }: Stage, data: DataStack): GpuQueues => ({
  batch: compute === 'cpu' ? undefined : (data.longWork ?? data.work),
  live: live.compute === 'gpu' ? data.live : undefined,
})
