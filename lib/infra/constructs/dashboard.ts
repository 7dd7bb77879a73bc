import { Duration } from 'aws-cdk-lib'
import { Dashboard, GraphWidget, type IMetric, TextWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { METRICS, type MetricName, namespaceOf, SERVICE } from '../../adapters/aws/metric-names.ts'
import { CPU_HOUR, gpuHour, PRICES } from '../prices.ts'
import type { DataStack } from '../stacks/data.ts'
import { type Stage, usesGpu } from '../stages.ts'
import { computesOf, FIVE_MINUTES, formula, measured } from './alarms.ts'
import type { Api } from './api.ts'
import type { CpuWorker } from './cpu-worker.ts'
import type { LiveWorker } from './live-worker.ts'

export interface OverviewProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly api: Api
  readonly worker: CpuWorker | undefined
  readonly liveWorker: LiveWorker | undefined
}

const HOUR = Duration.hours(1)
const SUM = { statistic: 'Sum', period: FIVE_MINUTES }

/** One page to look at: what comes in, what waits, how fast it is heard, what fails, what it costs. */
export class Overview extends Construct {
  constructor(scope: Construct, id: string, { stage, data, api, ...workers }: OverviewProps) {
    super(scope, id)
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: `verbatim-${stage.name}` })
    dashboard.addWidgets(new TextWidget({ markdown: HEAD(stage), width: 24, height: 2 }))
    dashboard.addWidgets(...apiWidgets(api))
    dashboard.addWidgets(...queueWidgets(data))
    dashboard.addWidgets(...jobWidgets(stage))
    dashboard.addWidgets(...failureWidgets(stage))
    dashboard.addWidgets(...workerWidgets(stage, workers))
  }
}

const HEAD = ({ name }: Stage) =>
  `# Verbatim ${name}\nAlarms: docs/runbook.md. Prices: on demand, us-east-1; Lambda of ${PRICES.asOf.lambda}, machines of ${PRICES.asOf.machines} (docs/cost.md).`

function apiWidgets({ stage }: Api) {
  return [
    graph('API: requests', [
      stage.metricCount(SUM),
      stage.metricClientError(SUM),
      stage.metricServerError(SUM),
    ]),
    graph('API: latency (ms)', [
      stage.metricLatency({ statistic: 'p50', label: 'p50' }),
      stage.metricLatency({ statistic: 'p99', label: 'p99' }),
    ]),
  ]
}

function queueWidgets({ uploads, work, shards, longWork, longShards, live }: DataStack) {
  const queues = Object.entries({
    ...{ uploads, work, shards, ...(longWork && { 'long work': longWork }) },
    ...{ ...(longShards && { 'long shards': longShards }), ...(live && { live }) },
  })
  return [
    graph(
      'Queues: age of the oldest message (s)',
      queues.map(([label, { queue }]) =>
        queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', label }),
      ),
    ),
    graph(
      'Jobs, shards and sessions: waiting, at work',
      queues
        .slice(1)
        .flatMap(([name, { queue }]) => [
          queue.metricApproximateNumberOfMessagesVisible({ label: `${name}: waiting` }),
          queue.metricApproximateNumberOfMessagesNotVisible({ label: `${name}: at work` }),
        ]),
    ),
  ]
}

/** One line for each kind of worker. */
const each = (stage: Stage, name: MetricName, statistic: string, what = statistic) =>
  computesOf(stage).map((compute) =>
    measured(stage, name, { dimensions: { compute }, statistic, label: `${compute}: ${what}` }),
  )

function jobWidgets(stage: Stage) {
  const factors = computesOf(stage).map((compute) => {
    const part = (name: MetricName) => measured(stage, name, { dimensions: { compute } })
    const parts = { [`${compute}Ms`]: part(METRICS.jobMs), [`${compute}Audio`]: part(METRICS.audioMs) }
    return formula(`${compute}: all jobs`, `${compute}Ms / ${compute}Audio`, parts)
  })
  return [
    graph('Job time: work of all attempts (ms)', [
      ...each(stage, METRICS.jobMs, 'p50'),
      ...each(stage, METRICS.jobMs, 'p99'),
    ]),
    graph('Real-time factor: seconds of work for a second of sound', [
      ...factors,
      ...each(stage, METRICS.realTimeFactor, 'p90'),
    ]),
    graph('Words for a minute of sound', [
      ...each(stage, METRICS.wordsPerMinute, 'p10'),
      ...each(stage, METRICS.wordsPerMinute, 'p50'),
    ]),
    graph('Hours of sound heard', heardHours(stage)),
    graph('Shard time (ms): a recording takes as long as its slowest', [
      ...each(stage, METRICS.shardMs, 'p50'),
      ...each(stage, METRICS.shardMs, 'Maximum'),
    ]),
    graph('Shards: heard, failed attempts', [
      ...each(stage, METRICS.shardMs, 'SampleCount', 'heard'),
      measured(stage, METRICS.shardsFailed),
    ]),
  ]
}

const heardHours = (stage: Stage) =>
  computesOf(stage).map((compute) => {
    const audio = measured(stage, METRICS.audioMs, { dimensions: { compute }, period: HOUR })
    return formula(compute, `${compute}Heard / 3600000`, { [`${compute}Heard`]: audio }, HOUR)
  })

function failureWidgets(stage: Stage) {
  const byCode = `{"${namespaceOf(stage.name)}",service,code} service="${SERVICE}" MetricName="${METRICS.jobsFailed}"`
  return [
    graph('Failures by code', [formula('', `SEARCH('${byCode}', 'Sum', 300)`, {})]),
    graph('Jobs: done, failed by us; errors logged', [
      ...each(stage, METRICS.jobsDone, 'Sum', 'done'),
      measured(stage, METRICS.jobsFailedByUs),
      measured(stage, METRICS.serviceErrors),
      measured(stage, METRICS.workerErrors),
    ]),
  ]
}

function workerWidgets(stage: Stage, { worker, liveWorker }: Pick<OverviewProps, 'worker' | 'liveWorker'>) {
  const costs: IMetric[] = each(stage, METRICS.costPerAudioHour, 'Average', 'jobs')
  const widgets: GraphWidget[] = []
  if (worker) {
    widgets.push(cpuWidget('CPU workers', worker))
    costs.push(cpuCost(stage, worker))
  }
  if (liveWorker) widgets.push(cpuWidget('Live workers', liveWorker), lookWidget(liveWorker))
  if (usesGpu(stage)) widgets.push(gpuWidget(stage))
  if (stage.compute !== 'cpu') costs.push(...gpuCost(stage))
  return [graph('Dollars for an hour of sound', costs), ...widgets]
}

const cpuWidget = (title: string, { fn }: CpuWorker | LiveWorker) =>
  graph(title, [
    fn.metricInvocations(SUM),
    fn.metricErrors(SUM),
    fn.metricThrottles(SUM),
    fn.metric('ConcurrentExecutions', { statistic: 'Maximum' }),
  ])

/** A look at a session that takes longer than a chunk lasts does not keep up. */
const lookWidget = ({ fn }: LiveWorker) =>
  graph('Live workers: time for a look at a session (ms)', [
    fn.metricDuration({ statistic: 'p50', label: 'p50' }),
    fn.metricDuration({ statistic: 'p99', label: 'p99' }),
  ])

/** What is paid for: every invocation, with those of jobs that failed. */
function cpuCost(stage: Stage, { fn }: CpuWorker) {
  const cpuHeard = measured(stage, METRICS.audioMs, { dimensions: { compute: 'cpu' }, period: HOUR })
  const cpuUsed = fn.metricDuration({ statistic: 'Sum', period: HOUR })
  const expression = `(cpuUsed / cpuHeard) * ${CPU_HOUR.toFixed(4)}`
  return formula('cpu: all invocations', expression, { cpuUsed, cpuHeard }, HOUR)
}

// Machines and tasks are looked for by name: a reference would tie this stack to that of the GPU workers. The names
// begin with that stack's; a search knows them word by word.
const found = (stage: Stage, schema: string, name: string, period: number) =>
  `SEARCH('{${schema}} MetricName="${name}" verbatim ${stage.name.replaceAll('-', ' ')} gpu', 'Average', ${period})`

const MACHINES = ['AWS/AutoScaling,AutoScalingGroupName', 'GroupInServiceInstances'] as const
const TASKS = '"ECS/ContainerInsights",ClusterName,ServiceName'

const gpuWidget = (stage: Stage) =>
  graph('GPU workers: machines, tasks', [
    formula('machines', found(stage, ...MACHINES, 300), {}),
    formula('tasks wanted', found(stage, TASKS, 'DesiredTaskCount', 300), {}),
    formula('tasks running', found(stage, TASKS, 'RunningTaskCount', 300), {}),
  ])

/** What is paid for: machines, with the minutes in which they boot and have nothing to do. */
function gpuCost(stage: Stage) {
  const price = gpuHour(stage)
  if (price === undefined) return []
  const gpuHeard = measured(stage, METRICS.audioMs, { dimensions: { compute: 'gpu' }, period: HOUR })
  const expression = `SUM(${found(stage, ...MACHINES, 3600)}) * ${price} * 3600000 / gpuHeard`
  return [formula('gpu: all machines, on demand', expression, { gpuHeard }, HOUR)]
}

const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12, height: 6 })
