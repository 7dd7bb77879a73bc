import { describe, expect, it } from '@jest/globals'
import * as z from 'zod'
import { PollerEnvironment, WorkerEnvironment } from '../../lib/adapters/aws/environment.ts'
import { HEARD, METRICS, namespaceOf, SERVICE } from '../../lib/adapters/aws/metric-names.ts'
import { CPU_HOUR, gpuHour, PRICES } from '../../lib/infra/prices.ts'
import { Stage, stageNamed } from '../../lib/infra/stages.ts'
import { FULL, resourcesOf, templatesOf } from './support.ts'

const full = templatesOf(FULL)
const everything = [full.data, full.service, full.monitoring, full.gpu!].flatMap(resourcesOf)
const ofType = (type: string) => everything.filter(([, { Type }]) => Type === type).map(([, it]) => it)

describe('logs', () => {
  it('are kept as long as the stage says, whoever writes them, and no longer', () => {
    const groups = ofType('AWS::Logs::LogGroup')
    for (const { Properties } of groups) expect(Properties.RetentionInDays).toBe(FULL.logDays)
    const functions = ofType('AWS::Lambda::Function')
    // One for each function (without one it would make its own, for ever), for the API's access log, for the tasks and
    // for what flows in their network.
    expect(groups).toHaveLength(functions.length + 3)
    for (const { Properties } of functions) {
      expect(Properties.LoggingConfig).toMatchObject({ LogGroup: expect.anything() })
    }
  })

  it('are found by the name of their stack, as the runbook looks for them', () => {
    for (const { Properties } of ofType('AWS::Logs::LogGroup'))
      expect(Properties.LogGroupName).toBeUndefined()
    const ids = everything.filter(([, { Type }]) => Type === 'AWS::Logs::LogGroup').map(([id]) => id)
    for (const part of ['OnUpload', 'DeadLetter', 'WorkerLogs']) {
      expect(ids.filter((id) => id.includes(part))).not.toEqual([])
    }
  })
})

const Container = z.object({
  Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  Secrets: z.undefined().optional(),
})
const [task] = ofType('AWS::ECS::TaskDefinition')
const [container] = z.tuple([Container]).parse(task!.Properties.ContainerDefinitions)
const told = Object.fromEntries(container.Environment.map(({ Name, Value }) => [Name, Value]))

const [cpu] = ofType('AWS::Lambda::Function').filter(({ Properties }) => Properties.PackageType === 'Image')
const { Variables } = z
  .object({ Variables: z.record(z.string(), z.unknown()) })
  .parse(cpu!.Properties.Environment)

describe('workers', () => {
  it('are told what they are and what an hour of a job costs', () => {
    expect(Variables).toMatchObject({ COMPUTE: 'cpu', DOLLARS_PER_HOUR: '0.6000' })
    expect(told).toMatchObject({ COMPUTE: 'gpu', DOLLARS_PER_HOUR: '1.0060' })
  })

  it('on GPUs are told what their program reads, and nothing else', () => {
    const known = [...Object.keys(WorkerEnvironment.shape), ...Object.keys(PollerEnvironment.shape)]
    expect(Object.keys(told).filter((name) => !known.includes(name))).toEqual([])
  })

  it('share the price of a machine among the jobs that it works on at once', () => {
    const stage = Stage.parse({ ...FULL, gpu: { instanceType: 'g6.xlarge', jobsAtOnce: 2 } })
    const tasks = resourcesOf(templatesOf(stage).gpu!).filter(
      ([, { Type }]) => Type === 'AWS::ECS::TaskDefinition',
    )
    expect(JSON.stringify(tasks)).toContain('{"Name":"DOLLARS_PER_HOUR","Value":"0.4024"}')
  })
})

describe('prices', () => {
  it('make an hour of a CPU worker 60 cents', () => {
    expect(CPU_HOUR).toBeCloseTo(0.6, 4)
  })

  it('are known for every machine of the table, and for no other', () => {
    for (const [instanceType, price] of Object.entries(PRICES.machineHour)) {
      expect(gpuHour(Stage.parse({ ...FULL, gpu: { instanceType } }))).toBe(price)
    }
    expect(gpuHour(Stage.parse({ ...FULL, gpu: { instanceType: 'g5.48xlarge' } }))).toBeUndefined()
  })
})

const dashboardOf = (stage: Stage) =>
  JSON.stringify(
    resourcesOf(templatesOf(stage).monitoring).filter(
      ([, { Type }]) => Type === 'AWS::CloudWatch::Dashboard',
    ),
  ).replaceAll('\\', '')

describe('the dashboard', () => {
  it.each([
    ['queue age', 'ApproximateAgeOfOldestMessage'],
    ['job time', METRICS.jobMs],
    ['shard time', METRICS.shardMs],
    ['shards that failed', METRICS.shardsFailed],
    ['real-time factor', METRICS.realTimeFactor],
    ['words per minute', METRICS.wordsPerMinute],
    [
      'failures by code',
      `SEARCH('{"Verbatim/full",service,code} service="verbatim" MetricName="JobsFailed"'`,
    ],
    ['cost per audio hour', METRICS.costPerAudioHour],
    ['cost of all invocations', '(cpuUsed / cpuHeard) * 0.6000'],
    ['cost of all machines', '* 1.006 * 3600000 / gpuHeard'],
  ])('shows %s', (_, text) => {
    expect(dashboardOf(FULL)).toContain(text)
  })

  it('shows both kinds of worker only where there are both', () => {
    expect(dashboardOf(FULL)).toMatch(/"cpu: p50".*"gpu: p50"/)
    expect(dashboardOf(stageNamed('dev'))).not.toContain('gpu')
    expect(dashboardOf({ ...FULL, compute: 'gpu' })).not.toContain('"cpu')
  })
})

describe('metrics that alarms look at', () => {
  const watched = ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties)

  it('are sent under these names, with these dimensions', () => {
    const ours = watched.filter(({ Namespace }) => Namespace === namespaceOf('full'))
    const names = [
      ...[METRICS.serviceErrors, METRICS.workerErrors, METRICS.jobsFailedByUs],
      ...[METRICS.shardsFailed, METRICS.nothingHeard],
    ]
    expect(ours.map(({ MetricName }) => MetricName).sort()).toEqual(names.sort())
    for (const { Dimensions } of ours) expect(Dimensions).toEqual([{ Name: 'service', Value: SERVICE }])
    expect(JSON.stringify(watched.map(({ Metrics }) => Metrics))).not.toContain(namespaceOf('full'))
  })

  it('are sums over an hour of jobs without a word, which none that has one leaves above zero', () => {
    const [alarm] = watched.filter(({ MetricName }) => MetricName === METRICS.nothingHeard)
    expect(alarm).toMatchObject({ Statistic: 'Sum', Period: 3600, Threshold: 5, EvaluationPeriods: 1 })
    const jobsOfAnHour = 100_000
    expect(jobsOfAnHour + HEARD).toBeLessThan(5)
  })
})
