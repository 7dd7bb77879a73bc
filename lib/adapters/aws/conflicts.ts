import { setTimeout as sleep } from 'node:timers/promises'
import { awsName } from './errors.ts'
import { cancellation } from './job-items.ts'

/** Waits of 10, 20, 40 … ms and as much again by chance: 5 s in all before a conflict is an error. */
const MOST_TRIES = 9
const FIRST_WAIT_MS = 10

/**
 * Runs a write until no transaction is in its way. DynamoDB refuses what meets a transaction on the same item and
 * leaves it to the caller to come again: nothing was decided, in contrast to a condition that failed.
 */
export async function untilNoConflict<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await write()
    } catch (thrown) {
      if (tries === MOST_TRIES || !isConflict(thrown)) throw thrown
      await sleep(FIRST_WAIT_MS * 2 ** (tries - 1) * (1 + Math.random()))
    }
  }
}

function isConflict(thrown: unknown): boolean {
  if (awsName(thrown) === 'TransactionConflictException') return true
  const codes = cancellation(thrown)?.map(({ code }) => code) ?? []
  return codes.includes('TransactionConflict') && !codes.includes('ConditionalCheckFailed')
}
