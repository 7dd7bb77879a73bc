import { type AttributeValue, TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import { VerbatimError } from '../../core/errors.ts'
import { Job } from '../../core/job.ts'

// How a job lies in the table (docs/adr/0004-one-table.md): its record, its place in its tenant's list, and the
// idempotency key of its request, if there was one.

export const jobKey = (tenant: string, jobId: string) => ({ pk: `JOB#${tenant}`, sk: jobId })

export const listOf = (tenant: string): string => `LIST#${tenant}`

export const placeKey = (tenant: string, place: Place) => ({ pk: listOf(tenant), sk: placeText(place) })

export const idempotencyItemKey = (tenant: string, key: string) => ({ pk: `IDEM#${tenant}`, sk: key })

/** Where a job stands among its tenant's; as text it sorts by time, then by id. */
export interface Place {
  readonly createdAt: number
  readonly jobId: string
}

/** Epoch milliseconds have 13 digits until the year 2286. */
const TIME_DIGITS = 15

export const placeText = ({ createdAt, jobId }: Place): string =>
  `${String(createdAt).padStart(TIME_DIGITS, '0')}#${jobId}`

export const placeOf = (text: string): Place => ({
  createdAt: Number(text.slice(0, TIME_DIGITS)),
  jobId: text.slice(TIME_DIGITS + 1),
})

/** A record that does not fit the schema is a fault of ours, never something to guess at. */
export function readJob(body: unknown): Job {
  try {
    return Job.parse(JSON.parse(String(body)))
  } catch (cause) {
    // The cause names fields and codes; the values stay in the store.
    throw new VerbatimError('internal', 'A stored job cannot be read.', { cause })
  }
}

/** An item as errors carry it: there the document client does not convert. */
export type RawItem = Readonly<Record<string, AttributeValue>>

export const textIn = (item: RawItem | undefined, name: string): string | undefined => item?.[name]?.S

export const numberIn = (item: RawItem | undefined, name: string): number | undefined => {
  const text = item?.[name]?.N
  return text === undefined ? undefined : Number(text)
}

/** Why each write of a transaction failed, by its place in the transaction; undefined for any other error. */
export function cancellation(thrown: unknown): ReadonlyArray<{ code: string; item?: RawItem }> | undefined {
  if (!(thrown instanceof TransactionCanceledException)) return undefined
  const reasons = thrown.CancellationReasons ?? []
  return reasons.map(({ Code = 'None', Item }) => ({ code: Code, ...(Item && { item: Item }) }))
}
