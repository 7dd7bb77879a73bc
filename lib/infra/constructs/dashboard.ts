import { Dashboard, GraphWidget, type IMetric, TextWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { FIVE_MINUTES, formula, fromLogs } from './alarms.ts'
import type { Api } from './api.ts'
import type { CpuWorker } from './cpu-worker.ts'
import { LOG_METRICS } from './log-metrics.ts'

export interface OverviewProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly api: Api
  readonly worker: CpuWorker | undefined
}

/** Dollars a GB-second of Lambda on x86, us-east-1: https://aws.amazon.com/lambda/pricing/ */
const GB_SECOND = 0.0000166667

/** One page to look at: what comes in, what waits, how fast it is heard, what it costs. */
export class Overview extends Construct {
  constructor(scope: Construct, id: string, { stage, data, api, worker }: OverviewProps) {
    super(scope, id)
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: `verbatim-${stage.name}` })
    dashboard.addWidgets(
      new TextWidget({ markdown: `# Verbatim ${stage.name}\nAlarms: docs/runbook.md`, width: 24, height: 2 }),
    )
    dashboard.addWidgets(...apiWidgets(api))
    dashboard.addWidgets(...queueWidgets(data))
    dashboard.addWidgets(...jobWidgets(stage))
    if (worker) dashboard.addWidgets(...workerWidgets(stage, worker))
  }
}

function apiWidgets({ stage }: Api) {
  const sum = { statistic: 'Sum', period: FIVE_MINUTES }
  return [
    graph('API: requests', [
      stage.metricCount(sum),
      stage.metricClientError(sum),
      stage.metricServerError(sum),
    ]),
    graph('API: latency (ms)', [
      stage.metricLatency({ statistic: 'p50', label: 'p50' }),
      stage.metricLatency({ statistic: 'p99', label: 'p99' }),
    ]),
  ]
}

function queueWidgets({ work }: DataStack) {
  return [
    graph('Jobs: waiting, at work', [
      work.queue.metricApproximateNumberOfMessagesVisible({ label: 'waiting' }),
      work.queue.metricApproximateNumberOfMessagesNotVisible({ label: 'at work' }),
    ]),
    graph('Age of the oldest job (s)', [
      work.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', label: 'age' }),
    ]),
  ]
}

function jobWidgets({ name }: Stage) {
  const [ms, audio] = [fromLogs(name, LOG_METRICS.jobMs), fromLogs(name, LOG_METRICS.audioMs)]
  return [
    graph('Jobs: done, failed by us', [
      fromLogs(name, LOG_METRICS.jobsDone),
      fromLogs(name, LOG_METRICS.jobsFailing),
    ]),
    graph('Failures by code', [
      formula('', `SEARCH('{Verbatim/${name},code} MetricName="${LOG_METRICS.jobsFailed}"', 'Sum', 300)`, {}),
    ]),
    graph('Job time (ms)', [
      fromLogs(name, LOG_METRICS.jobMs, 'p50'),
      fromLogs(name, LOG_METRICS.jobMs, 'p99'),
    ]),
    graph('Seconds of work for a second of sound', [
      formula('real-time factor', 'ms / audio', { ms, audio }),
    ]),
  ]
}

function workerWidgets({ name }: Stage, { fn }: CpuWorker) {
  const sum = { statistic: 'Sum', period: FIVE_MINUTES }
  const audio = fromLogs(name, LOG_METRICS.audioMs)
  // Milliseconds over milliseconds: hours of Lambda for an hour of sound, at 10 GB.
  const cost = `(used / audio) * 3600 * 10 * ${GB_SECOND}`
  return [
    graph('CPU workers', [
      fn.metricInvocations(sum),
      fn.metricErrors(sum),
      fn.metricThrottles(sum),
      fn.metric('ConcurrentExecutions', { statistic: 'Maximum' }),
    ]),
    graph('Dollars for an hour of sound', [formula('CPU', cost, { used: fn.metricDuration(sum), audio })]),
  ]
}

const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12, height: 6 })
