import * as z from 'zod'
import { JobId, Tenant } from '../job.ts'
import type { Queue } from '../ports.ts'

/** What goes through the queues of the workers: names a job, or one of its shards; carries no data. */
export const WorkMessage = z.object({ tenant: Tenant, jobId: JobId, shard: z.int().nonnegative().optional() })
export type WorkMessage = z.infer<typeof WorkMessage>

/** Where workers of limited time and disk send what is too much for them. A host with one kind of worker has none. */
export interface LongWork {
  readonly queue: Queue
  /** Recordings longer than this, in decoded time. */
  readonly fromMs: number
  /** Files larger than this, which may not even fit on the disk of the others. */
  readonly fromBytes: number
}
