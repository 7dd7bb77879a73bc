import { Metrics } from '@aws-lambda-powertools/metrics'
import type { MetricUnit } from '@aws-lambda-powertools/metrics/types'
import type { Log, LogFields } from '../../core/ports.ts'
import {
  type Compute,
  HEARD,
  isOurs,
  METRICS,
  type MetricName,
  namespaceOf,
  SERVICE,
} from './metric-names.ts'

export interface MeterOptions {
  readonly stage: string
  /** A worker's kind; left out for other functions. */
  readonly compute?: Compute | undefined
  /** What an hour of a job's work costs, in US dollars; left out: not known. */
  readonly dollarsPerHour?: number | undefined
  /** Takes one line without its end. Left out: stdout. */
  readonly write?: (line: string) => void
}

type Values = Partial<Record<MetricName, number>>
/** Sends values that share their dimensions as one line of CloudWatch's embedded metric format. */
type Send = (dimensions: Readonly<Record<string, string>>, values: Values) => void

const UNITS: Partial<Record<MetricName, MetricUnit>> = {
  [METRICS.jobMs]: 'Milliseconds',
  [METRICS.shardMs]: 'Milliseconds',
  [METRICS.audioMs]: 'Milliseconds',
  [METRICS.realTimeFactor]: 'None',
  [METRICS.wordsPerMinute]: 'None',
  [METRICS.costPerAudioHour]: 'None',
  [METRICS.nothingHeard]: 'None',
}

/**
 * `log`, and metrics beside it: what happens is logged anyway, so no other part has to know that it is counted. Each
 * event's metrics are written at once, as a line that CloudWatch Logs reads them from: none waits in a worker that
 * dies. Whether a line of the log is written does not matter to them.
 */
export function meteredLog(log: Log, options: MeterOptions): Log {
  const send = sender(options)
  const at = (level: 'info' | 'warn' | 'error', inner: Log, bound: LogFields) => {
    return (event: string, fields: LogFields = {}) => {
      inner[level](event, fields)
      if (level === 'error') countError(send, options)
      countJob(send, options, event, { ...bound, ...fields })
    }
  }
  const wrap = (inner: Log, bound: LogFields): Log => ({
    info: at('info', inner, bound),
    warn: at('warn', inner, bound),
    error: at('error', inner, bound),
    with: (fields) => wrap(inner.with(fields), { ...bound, ...fields }),
  })
  return wrap(log, {})
}

function countError(send: Send, { compute }: MeterOptions): void {
  send({}, { [compute ? METRICS.workerErrors : METRICS.serviceErrors]: 1 })
}

/** The events are those of lib/core/batch and lambdas/events/dead-letter.ts. */
function countJob(send: Send, options: MeterOptions, event: string, fields: LogFields): void {
  const { code = '', ms } = fields
  const { compute } = options
  if (event === 'shard heard' && compute && ms !== undefined) send({ compute }, { [METRICS.shardMs]: ms })
  if (event === 'shard failed' && isOurs(code)) send({}, { [METRICS.shardsFailed]: 1 })
  if (event === 'job transcribed' && code === 'finished') sendDone(send, options, fields)
  if (event === 'job failed') sendFailed(send, code || 'internal')
  // Nobody could bring it further; its owner is told that the engine crashed.
  if (event === 'job abandoned' && code === 'failed') sendFailed(send, 'engine-crashed')
}

function sendFailed(send: Send, code: string): void {
  send({ code }, { [METRICS.jobsFailed]: 1 })
  if (isOurs(code)) send({}, { [METRICS.jobsFailedByUs]: 1 })
}

function sendDone(send: Send, { compute, dollarsPerHour }: MeterOptions, fields: LogFields): void {
  const { ms, audioMs, words } = fields
  if (!compute || ms === undefined || !audioMs) return
  const realTimeFactor = ms / audioMs
  send(
    { compute },
    {
      ...{ [METRICS.jobsDone]: 1, [METRICS.jobMs]: ms, [METRICS.audioMs]: audioMs },
      [METRICS.realTimeFactor]: realTimeFactor,
      ...(words !== undefined && { [METRICS.wordsPerMinute]: (words * 60_000) / audioMs }),
      ...(dollarsPerHour !== undefined && { [METRICS.costPerAudioHour]: realTimeFactor * dollarsPerHour }),
    },
  )
  if (words !== undefined) send({}, { [METRICS.nothingHeard]: words > 0 ? HEARD : 1 })
}

function sender({ stage, write = toStdout }: MeterOptions): Send {
  const metrics = new Metrics({ namespace: namespaceOf(stage), serviceName: SERVICE })
  return (dimensions, values) => {
    for (const [name, value] of Object.entries(dimensions)) metrics.addDimension(name, value)
    for (const [name, value] of Object.entries(values)) {
      metrics.addMetric(name, UNITS[name as MetricName] ?? 'Count', value)
    }
    write(JSON.stringify(metrics.serializeMetrics()))
    metrics.clearMetrics()
    metrics.clearDimensions()
  }
}

const toStdout = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
