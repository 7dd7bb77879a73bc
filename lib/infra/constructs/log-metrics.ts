import { FilterPattern, type LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { Stage } from '../stages.ts'

/** Names of the metrics that are read off log lines. */
export const LOG_METRICS = {
  serviceErrors: 'ServiceLogErrors',
  workerErrors: 'WorkerLogErrors',
  jobsFailing: 'JobsFailedByUs',
  jobsFailed: 'JobsFailed',
  jobsDone: 'JobsDone',
  jobMs: 'JobMs',
  audioMs: 'AudioMs',
} as const

type Name = (typeof LOG_METRICS)[keyof typeof LOG_METRICS]

/** Codes of failures that are ours; any other is the recording's. */
const OURS = ['engine-*', 'model-*', 'internal', 'disk-full', 'storage-unavailable']
  .map((code) => `$.code = "${code}"`)
  .join(' || ')

/**
 * Metrics out of the log: a worker writes one JSON object a line anyway, so no library and no call is needed to send
 * them, and none is lost with a worker that dies.
 */
export class LogMetrics extends Construct {
  readonly #namespace: string

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id)
    this.#namespace = `Verbatim/${stage.name}`
  }

  ofService(name: string, logs: LogGroup): void {
    this.#count(name, logs, LOG_METRICS.serviceErrors, '{ $.level = "error" }')
  }

  ofWorker(name: string, logs: LogGroup): void {
    const done = '{ $.event = "job transcribed" }'
    this.#count(name, logs, LOG_METRICS.workerErrors, '{ $.level = "error" }')
    this.#count(name, logs, LOG_METRICS.jobsFailing, `{ $.event = "job failed" && (${OURS}) }`)
    this.#filter(name, logs, LOG_METRICS.jobsFailed, '{ $.event = "job failed" }', '1', { code: '$.code' })
    this.#count(name, logs, LOG_METRICS.jobsDone, done)
    this.#filter(name, logs, LOG_METRICS.jobMs, done, '$.ms')
    this.#filter(name, logs, LOG_METRICS.audioMs, done, '$.audioMs')
  }

  #count(name: string, logs: LogGroup, metric: Name, pattern: string): void {
    this.#filter(name, logs, metric, pattern, '1')
  }

  #filter(
    name: string,
    logGroup: LogGroup,
    metricName: Name,
    pattern: string,
    metricValue: string,
    dimensions?: Record<string, string>,
  ): void {
    new MetricFilter(this, `${name}${metricName}`, {
      ...{ logGroup, metricName, metricValue, metricNamespace: this.#namespace },
      filterPattern: FilterPattern.literal(pattern),
      ...(dimensions && { dimensions }),
    })
  }
}
