import { CPU_HOUR, PRICES } from '../../lib/infra/prices.ts'

/** How fast a queue lets workers begin, beside a bound on their number. Absent: all at once. */
export interface Ramp {
  /** So many begin as soon as there are messages … */
  readonly first: number
  /** … and so many more each minute. */
  readonly perMinute: number
  /** No more new ones in a second, whoever asks for them. */
  readonly newPerSecond: number
}

/** What a kind of worker is taken to be. All but prices and ramps is reckoned, and can be set. Times in ms. */
export interface Machine {
  readonly label: string
  /** Seconds of work for a second of sound. */
  readonly workPerAudio: number
  /** The share of a full window's work that any window costs, and a look at the language. */
  readonly passShare: number
  /** From a message to the first sound heard where no worker is there, and where one is but more are wanted. */
  readonly startMs: number
  readonly moreStartMs: number
  /** How much of a start is paid for. */
  readonly paidStartMs: number
  /** How long a worker is paid for that has nothing more to do. */
  readonly idleMs: number
  /** Fetching, decoding and cutting an hour. */
  readonly planMsPerHour: number
  /** Packing and storing the sound of a shard and sending its message. */
  readonly handOutMs: number
  /** What a shard costs its worker beside the engine: fetching its sound, storing its words, counting it. */
  readonly besideMs: number
  readonly stitchMs: number
  readonly stitchMsPerShard: number
  readonly dollarsPerHour: number
  readonly requestDollarsPerShard: number
  readonly ramp?: Ramp
}

/**
 * Votes on the language of a recording that is cut: two that agree decide (`lib/core/batch/language.ts`), each an
 * encoder's pass, one after the other. None where the client names the language.
 */
export const VOTES = 2

/**
 * A Lambda of 10 GB with large-v3-q5_0. Work and its bounds (0.5 to 0.85): docs/cost.md; of the 24 s of a full window 14
 * are the pass, as a clip of 2.5 s takes 13 to 15. Start: 16.5 s were measured by AWS for another model of a gigabyte
 * (https://aws.amazon.com/blogs/compute/deploying-ai-models-for-inference-with-aws-lambda-using-zip-packaging). An hour of
 * AAC is decoded in 3 s and its loudness measured in one more on the machine that this was written on: half more here.
 *
 * A source of SQS begins with 5 batches and adds up to 300 a minute
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html; taken as steady, as the page does not say in
 * what steps); a function gets 1,000 new environments each 10 s (https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html).
 */
const cpu: Machine = {
  ...{ label: 'Lambda 10 GB, large-v3-q5_0', workPerAudio: 0.85, passShare: 0.6 },
  ...{ startMs: 15_000, moreStartMs: 15_000, paidStartMs: 15_000, idleMs: 0 },
  ...{ planMsPerHour: 6_000, handOutMs: 15, besideMs: 300, stitchMs: 1_000, stitchMsPerShard: 10 },
  ...{ dollarsPerHour: CPU_HOUR, requestDollarsPerShard: 0.00004 },
  ramp: { first: 5, perMinute: 300, newPerSecond: 100 },
}

/**
 * g6.xlarge with large-v3, the slow end of docs/cost.md: 12 times as fast as the sound. After hours of silence the first
 * message waits some ten minutes for metrics, machine and image (docs/deploy.md), of which the machine is there for five;
 * more machines take a minute of metrics and those five. Ten idle minutes before one goes are paid for. What a pass is of a window's work nobody has measured.
 */
const gpu: Machine = {
  ...{ label: 'g6.xlarge (L4), large-v3', workPerAudio: 1 / 12, passShare: 0.3 },
  ...{ startMs: 600_000, moreStartMs: 360_000, paidStartMs: 300_000, idleMs: 600_000 },
  ...{ planMsPerHour: 6_000, handOutMs: 15, besideMs: 300, stitchMs: 1_000, stitchMsPerShard: 10 },
  ...{ dollarsPerHour: PRICES.machineHour['g6.xlarge'], requestDollarsPerShard: 0.00004 },
}

/** Engines of one machine that have their model loaded; what they make of a second is the model's and the machine's. */
const local: Machine = {
  ...{ label: 'one machine', workPerAudio: 0.5, passShare: 0.6 },
  ...{ startMs: 0, moreStartMs: 0, paidStartMs: 0, idleMs: 0 },
  ...{ planMsPerHour: 4_000, handOutMs: 20, besideMs: 50, stitchMs: 200, stitchMsPerShard: 2 },
  ...{ dollarsPerHour: 0, requestDollarsPerShard: 0 },
}

export const MACHINES = { cpu, gpu, local } as const
