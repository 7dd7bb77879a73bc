import { ERRORS, type ErrorCode } from '../../core/errors.ts'

// The metrics of a stage, in namespace `Verbatim/<stage>`: what programs send and what alarms and dashboard look at.
// Every combination of a name and its dimensions is a metric that is paid for, so there are few, and none names a
// tenant or a job.

export const SERVICE = 'verbatim'

export const namespaceOf = (stage: string): string => `Verbatim/${stage}`

/** What hears: the container Lambda, or the ECS service on GPUs. */
export const COMPUTES = ['cpu', 'gpu'] as const
export type Compute = (typeof COMPUTES)[number]

/** All have the dimension `service`; those of what was done `compute` too, `JobsFailed` the failure's `code`. */
export const METRICS = {
  /** Errors that functions of the API and of queues have logged. */
  serviceErrors: 'ServiceErrors',
  /** Errors that workers have logged, of either kind. */
  workerErrors: 'WorkerErrors',
  /** Jobs that ended as FAILED, by `code`. */
  jobsFailed: 'JobsFailed',
  /** Those of them that failed for a reason of ours, without further dimension. */
  jobsFailedByUs: 'JobsFailedByUs',
  /** Attempts at a shard that failed for a reason of ours. */
  shardsFailed: 'ShardsFailed',
  /** Time that a worker spent on a shard that was heard, by `compute`. */
  shardMs: 'ShardMs',
  // One value for each job that was done, by `compute`.
  jobsDone: 'JobsDone',
  /** Time that workers spent on the job, all of them and over all attempts. */
  jobMs: 'JobMs',
  /** Length of the recording. */
  audioMs: 'AudioMs',
  /** Seconds of work for a second of the recording: JobMs / AudioMs. */
  realTimeFactor: 'RealTimeFactor',
  /** Words of the transcript for a minute of the recording: how much is said, and whether it was heard. */
  wordsPerMinute: 'WordsPerMinute',
  /** US dollars of computing for an hour of the recording. */
  costPerAudioHour: 'CostPerAudioHour',
  /** For each job that was done, of either kind of worker: 1 if its transcript has no word, else HEARD. */
  nothingHeard: 'NothingHeard',
} as const
/** So low that one job in which a word was heard outweighs all others: a sum above zero is jobs, and all without a word. */
export const HEARD = -1_000_000

export type MetricName = (typeof METRICS)[keyof typeof METRICS]

const OTHERS_OF_OURS: readonly ErrorCode[] = [
  'internal',
  'unavailable',
  'disk-full',
  'storage-unavailable',
  'recording-missing',
]

/** Whether a job that failed with `code` failed for a reason that is ours and not the recording's. */
export const isOurs = (code: string): boolean =>
  /^(engine|model)-/.test(code) || OTHERS_OF_OURS.includes(code as ErrorCode) || !Object.hasOwn(ERRORS, code)
