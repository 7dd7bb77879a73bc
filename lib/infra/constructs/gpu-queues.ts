import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import type { QueuePair } from './queue-pair.ts'

export interface BatchQueues {
  readonly jobs: QueuePair
  readonly shards: QueuePair
}

/** What GPU workers take from: at least one of the two. */
export interface GpuQueues {
  /** Recordings, all or the long ones where there are CPU workers too, and what they were cut into. */
  readonly batch: BatchQueues | undefined
  readonly live: QueuePair | undefined
}

/** Of the batch lane: with `both`, GPU workers have queues of their own. */
export const gpuBatchQueues = (data: AllBatchQueues): BatchQueues => ({
  jobs: data.longWork ?? data.work,
  shards: data.longShards ?? data.shards,
})

export type AllBatchQueues = Pick<DataStack, 'work' | 'shards' | 'longWork' | 'longShards'>

export const gpuQueues = ({ compute, live }: Stage, data: DataStack): GpuQueues => ({
  batch: compute === 'cpu' ? undefined : gpuBatchQueues(data),
  live: live.compute === 'gpu' ? data.live : undefined,
})
