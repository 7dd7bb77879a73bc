import { Duration, Size } from 'aws-cdk-lib'

export const TIMEOUTS = {
  /** Less than the 30 s after which API Gateway hangs up. */
  api: Duration.seconds(15),
  /** Functions behind a queue that only move a job's state. */
  small: Duration.seconds(30),
  /** The longest that Lambda lets a function run. */
  worker: Duration.minutes(15),
  /**
   * A worker of the live lane: much longer than a step, as the last one joins the recording of hours into one object.
   * Not longer: after a crash its session waits for the rest of it.
   */
  live: Duration.minutes(3),
  /** Sends webhooks: some attempts of ten seconds, one after the other. */
  deliver: Duration.minutes(2),
  /** Streams captions. Who is still there comes again; who is not is noticed only then. */
  events: Duration.minutes(5),
} as const

/** The most that Lambda gives: a recording, and its decoded sound beside it. */
export const LAMBDA_DISK = Size.gibibytes(10)

/** A larger file may not fit there. At the 50 Mbit/s of a telephone's 4K video it is over twenty minutes long. */
export const LONG_FROM = Size.gibibytes(8)

/** How long a job's record stays after its recording has gone (see `ttl` in docs/adr/0004-one-table.md). */
export const RECORD_OUTLIVES_AUDIO = Duration.days(7)

/** From SIGTERM on: jobs that end within the first go to their end, what is given back has the rest. */
export const DRAIN = { jobs: Duration.seconds(60), all: Duration.seconds(120) } as const

/**
 * Deliveries before a message counts as dead. Failures, duplicates and busy leases use them up; a worker that runs out
 * of time does not, as it sends its message anew. What ends a job that fails is its own count, long before this.
 */
export const RECEIVES = 20

/**
 * The same for a shard, which nobody but its own worker can be busy with: what is left are failures, of which three end
 * the job, and deaths. Five, as the Lambda guide advises, so that a few invocations that are throttled kill nothing
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
 */
export const SHARD_RECEIVES = 5
