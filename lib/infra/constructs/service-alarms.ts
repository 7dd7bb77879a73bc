import { Duration } from 'aws-cdk-lib'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { METRICS } from '../../adapters/aws/metric-names.ts'
import { TIMEOUTS } from '../limits.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { type Alarms, FIVE_MINUTES, measured } from './alarms.ts'
import type { Api } from './api.ts'
import type { Consumers } from './consumers.ts'
import type { CpuWorker } from './cpu-worker.ts'

const sum = { statistic: 'Sum', period: FIVE_MINUTES }

export function watchApi(alarms: Alarms, { stage }: Api): void {
  alarms.add('api-errors', {
    metric: stage.metricServerError(sum),
    atLeast: 3,
    means: 'The API has answered with 5xx.',
  })
  alarms.add('api-latency', {
    metric: stage.metricLatency({ statistic: 'p99', period: FIVE_MINUTES }),
    atLeast: 3000,
    periods: 3,
    means: 'One request in a hundred takes more than three seconds.',
  })
}

export function watchConsumers(alarms: Alarms, { onUpload, deadLetter }: Consumers): void {
  for (const [name, { fn }] of [
    ['on-upload', onUpload],
    ['dead-letter', deadLetter],
  ] as const) {
    watchFunction(alarms, name, fn)
  }
}

export function watchCpuWorker(alarms: Alarms, { fn }: CpuWorker): void {
  watchFunction(alarms, 'worker', fn)
  alarms.add('worker-timeouts', {
    metric: fn.metricDuration({ statistic: 'Maximum', period: FIVE_MINUTES }),
    // A worker that knows its remaining time gives the job back earlier than this.
    atLeast: TIMEOUTS.worker.toMilliseconds() - 5000,
    means: 'A worker was cut off by Lambda at the end of its time.',
  })
}

export function watchErrors(alarms: Alarms, name: string, fn: IFunction): void {
  alarms.add(`${name}-errors`, {
    metric: fn.metricErrors(sum),
    atLeast: 1,
    means: 'The function crashed, ran out of memory or did not start.',
  })
}

export function watchFunction(alarms: Alarms, name: string, fn: IFunction): void {
  watchErrors(alarms, name, fn)
  alarms.add(`${name}-throttles`, {
    metric: fn.metricThrottles(sum),
    atLeast: 1,
    periods: 3,
    means: 'Lambda refuses to run the function so often at once.',
  })
}

/** What our programs count themselves. */
export function watchJobs(alarms: Alarms, stage: Stage): void {
  alarms.add('service-log-errors', {
    metric: measured(stage, METRICS.serviceErrors),
    atLeast: 1,
    means: 'A function of the API or of a queue has logged an error.',
  })
  alarms.add('worker-log-errors', {
    metric: measured(stage, METRICS.workerErrors),
    atLeast: 1,
    means: 'A worker has logged an error.',
  })
  alarms.add('jobs-failing', {
    metric: measured(stage, METRICS.jobsFailedByUs),
    atLeast: 1,
    means: 'A job failed for a reason that is ours and not the recording’s.',
  })
  alarms.add('shards-failing', {
    // A shard that fails for good fails its job, which says so itself, or leaves a gap, of which its owner is told. What is
    // looked for here is what befalls many.
    metric: measured(stage, METRICS.shardsFailed),
    atLeast: 10,
    means:
      'Ten attempts at shards failed within five minutes for a reason that is ours and not the recording’s.',
  })
  alarms.add('transcripts-empty', {
    // Below zero as soon as one of them has a word (HEARD).
    metric: measured(stage, METRICS.nothingHeard, { period: Duration.hours(1) }),
    atLeast: 5,
    means: 'At least five jobs were done within an hour, and there is not one word in their transcripts.',
  })
}

/**
 * DynamoDB tells errors of its own for each operation alone. Every request to the API and every job begins with GetItem,
 * and every worker renews its lease with UpdateItem; if another operation fails alone, its caller logs and counts it.
 */
export function watchTable(alarms: Alarms, { jobs: { table } }: DataStack): void {
  const dimensionsMap = { TableName: table.tableName }
  for (const [name, throttles, Operation] of [
    ['read', 'ReadThrottleEvents', 'GetItem'],
    ['write', 'WriteThrottleEvents', 'UpdateItem'],
  ] as const) {
    alarms.add(`table-${name}-throttles`, {
      metric: table.metric(throttles, { ...sum, dimensionsMap }),
      atLeast: 1,
      periods: 3,
      means: `DynamoDB turns requests to ${name} away.`,
    })
    alarms.add(`table-${name}-errors`, {
      metric: table.metric('SystemErrors', { ...sum, dimensionsMap: { ...dimensionsMap, Operation } }),
      atLeast: 3,
      means: `DynamoDB fails inside as it is asked to ${name}.`,
    })
  }
}
