import { Duration } from 'aws-cdk-lib'
import { Operation } from 'aws-cdk-lib/aws-dynamodb'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { METRICS } from '../../adapters/aws/metric-names.ts'
import { TIMEOUTS } from '../limits.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { type Alarms, FIVE_MINUTES, formula, measured, overWorkers } from './alarms.ts'
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

function watchFunction(alarms: Alarms, name: string, fn: IFunction): void {
  alarms.add(`${name}-errors`, {
    metric: fn.metricErrors(sum),
    atLeast: 1,
    means: 'The function crashed, ran out of memory or did not start.',
  })
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
  const errors = overWorkers(stage, METRICS.workerErrors, 'Errors')
  alarms.add('worker-log-errors', {
    metric: formula('errors', errors.sum, errors.metrics),
    atLeast: 1,
    means: 'A worker has logged an error.',
  })
  alarms.add('jobs-failing', {
    metric: measured(stage, METRICS.jobsFailedByUs),
    atLeast: 1,
    means: 'A job failed for a reason that is ours and not the recording’s.',
  })
  const period = Duration.hours(1)
  const done = overWorkers(stage, METRICS.jobsDone, 'Done', { period })
  const words = overWorkers(stage, METRICS.wordsPerMinute, 'Words', { period, statistic: 'Maximum' })
  const nothing = `IF(${done.sum} >= 5 AND ${words.sum} == 0, 1, 0)`
  alarms.add('transcripts-empty', {
    metric: formula('nothing heard', nothing, { ...done.metrics, ...words.metrics }, period),
    atLeast: 1,
    means: 'At least five jobs were done within an hour, and there is not one word in their transcripts.',
  })
}

export function watchTable(alarms: Alarms, { jobs: { table } }: DataStack): void {
  const { tableName } = table
  const throttles = (metricName: string) =>
    table.metric(metricName, { ...sum, dimensionsMap: { TableName: tableName } })
  alarms.add('table-throttles', {
    metric: formula('throttled', 'FILL(reads, 0) + FILL(writes, 0)', {
      reads: throttles('ReadThrottleEvents'),
      writes: throttles('WriteThrottleEvents'),
    }),
    atLeast: 1,
    periods: 3,
    means: 'DynamoDB turns requests away.',
  })
  alarms.add('table-errors', {
    metric: table.metricSystemErrorsForOperations({
      ...sum,
      operations: [
        Operation.GET_ITEM,
        Operation.BATCH_GET_ITEM,
        Operation.UPDATE_ITEM,
        Operation.QUERY,
        Operation.TRANSACT_WRITE_ITEMS,
      ],
    }),
    atLeast: 3,
    means: 'DynamoDB fails inside.',
  })
}
