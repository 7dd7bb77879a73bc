import * as z from 'zod'
import { VerbatimError } from '../core/errors.ts'
import { JobError } from '../core/job.ts'
import type { ShardEnd, ShardTally } from '../core/ports.ts'

// What the shard stores of one machine and of AWS have in common.

export const EMPTY_TALLY: ShardTally = { ended: [], audioMs: 0, workMs: 0, engineMs: 0, failed: [] }

const Tally = z.object({
  ended: z.array(z.int()),
  ...{ audioMs: z.int(), workMs: z.int(), engineMs: z.int() },
  failed: z.array(z.object({ shard: z.int(), code: JobError.shape.code })),
})

/** A record that does not fit the schema is a fault of ours, never something to guess at. */
export function readTally(stored: unknown): ShardTally {
  const { success, data, error } = Tally.safeParse(stored)
  if (success) return data
  throw new VerbatimError('internal', 'A stored tally cannot be read.', { cause: error })
}

/** What does not fit the schema is refused before it is counted: afterwards the tally could not be read any more. */
export function checkEnd({ shard, audioMs, workMs, engineMs }: ShardEnd): void {
  if ([shard, audioMs, workMs, engineMs].every((value) => Number.isSafeInteger(value) && value >= 0)) return
  throw new VerbatimError('internal', 'A shard has ended with numbers that cannot be.')
}
