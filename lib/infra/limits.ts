import { Duration } from 'aws-cdk-lib'

export const TIMEOUTS = {
  /** Less than the 30 s after which API Gateway hangs up. */
  api: Duration.seconds(15),
  /** Functions behind a queue that only move a job's state. */
  small: Duration.seconds(30),
  /** The longest that Lambda lets a function run. */
  worker: Duration.minutes(15),
} as const

/**
 * Deliveries before a message counts as dead. Failures, duplicates and busy leases use them up; a worker that runs out
 * of time does not, as it sends its message anew. What ends a job that fails is its own count, long before this.
 */
export const RECEIVES = 20
