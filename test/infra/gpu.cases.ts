import { describe, expect, it } from '@jest/globals'
import { Match } from 'aws-cdk-lib/assertions'
import { FULL, resourcesOf, statementsOf, templatesOf } from './support.ts'

const gpu = templatesOf(FULL).gpu!
const open = templatesOf({ ...FULL, gpu: { ...FULL.gpu, network: 'public' } }).gpu!

describe('the GPU workers', () => {
  it('rest at none: no task, no machine', () => {
    gpu.hasResourceProperties('AWS::ECS::Service', { DesiredCount: 0 })
    gpu.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', { MinSize: '0', MaxSize: '4' })
    gpu.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 0,
      MaxCapacity: 4,
    })
  })

  it('grow to the exact number that the backlog wants and rest after ten idle minutes', () => {
    gpu.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      StepScalingPolicyConfiguration: {
        AdjustmentType: 'ExactCapacity',
        StepAdjustments: [1, 2, 3, 4].map((tasks) =>
          Match.objectLike({ ScalingAdjustment: tasks, MetricIntervalLowerBound: tasks - 1 }),
        ),
      },
    })
    gpu.hasResourceProperties('AWS::CloudWatch::Alarm', {
      ...{ EvaluationPeriods: 10, Threshold: 0, ComparisonOperator: 'LessThanOrEqualToThreshold' },
      Metrics: Match.arrayWith([
        Match.objectLike({
          Expression:
            'MAX([CEIL((waiting + taken) / 4 + (FILL(shardsWaiting, 0) + FILL(shardsTaken, 0)) / 16), CEIL(taken / 2), CEIL(FILL(shardsTaken, 0) / 2)])',
        }),
      ]),
    })
  })

  it('keep a machine that works, and leave one that is taken away', () => {
    gpu.hasResourceProperties('AWS::ECS::CapacityProvider', {
      AutoScalingGroupProvider: Match.objectLike({
        ManagedTerminationProtection: 'ENABLED',
        ManagedDraining: 'ENABLED',
      }),
    })
    gpu.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: Match.objectLike({
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        UserData: { 'Fn::Base64': Match.objectLike({}) },
      }),
    })
    expect(JSON.stringify(gpu.toJSON())).toContain('ECS_ENABLE_SPOT_INSTANCE_DRAINING=true')
  })

  it('have a GPU to themselves, a root that cannot be written and two minutes to end', () => {
    gpu.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        Match.objectLike({
          ResourceRequirements: [{ Type: 'GPU', Value: '1' }],
          ReadonlyRootFilesystem: true,
          StopTimeout: 120,
          LinuxParameters: Match.objectLike({ Capabilities: { Drop: ['ALL'] } }),
          MountPoints: [{ ContainerPath: '/tmp', ReadOnly: false, SourceVolume: 'scratch' }],
        }),
      ],
    })
  })
})

describe('a task at work', () => {
  const policies = () => JSON.stringify(gpu.findResources('AWS::IAM::Policy'))

  it('may ask to be protected, in its own cluster, and has time to end when it must', () => {
    gpu.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'ecs:UpdateTaskProtection',
            Resource: {
              'Fn::Join': ['', Match.arrayWith([{ Ref: Match.stringLikeRegexp('^MachinesCluster') }, '/*'])],
            },
          }),
        ]),
      },
      Roles: [{ Ref: Match.stringLikeRegexp('^WorkerTaskTaskRole') }],
    })
    expect(policies().match(/ecs:UpdateTaskProtection/g)).toHaveLength(1)
    const { DRAIN_MS } = taskEnvironment(gpu)
    // Giving jobs back must fit between this and the SIGKILL of StopTimeout.
    expect(Number(DRAIN_MS)).toBeLessThanOrEqual(90_000)
  })
})

describe('with both kinds of worker', () => {
  const { data, service, monitoring } = templatesOf(FULL)
  const onlyGpu = templatesOf({ ...FULL, compute: 'gpu' })
  const onlyCpu = templatesOf({ ...FULL, compute: 'cpu' })

  it('long recordings and their shards have queues of their own, and nowhere else', () => {
    for (const name of [/^LongWork/, /^LongShards/]) {
      const long = resourcesOf(data).filter(([id, { Type }]) => Type === 'AWS::SQS::Queue' && name.test(id))
      expect(long).toHaveLength(2)
    }
    for (const other of [onlyGpu, onlyCpu]) {
      expect(JSON.stringify(other.data.toJSON())).not.toMatch(/LongWork|LongShards/)
      expect(JSON.stringify(other.service.toJSON())).not.toContain('LONG_')
    }
  })

  it('the functions and the CPU worker know what belongs there, and may send it', () => {
    for (const name of ['OnUpload', 'Worker']) {
      const [[, { Properties }]] = resourcesOf(service).filter(
        ([id, { Type }]) => Type === 'AWS::Lambda::Function' && id.includes(name),
      ) as [ReturnType<typeof resourcesOf>[number]]
      expect((Properties.Environment as { Variables: object }).Variables).toMatchObject({
        WORK_QUEUE_URL: queueOf('Work'),
        ...{ SHARDS_QUEUE_URL: queueOf('Shards'), SHARD_MS: String(FULL.cpu.shardSeconds * 1000) },
        LONG_WORK_QUEUE_URL: queueOf('LongWork'),
        LONG_FROM_MS: String(FULL.longFromMinutes * 60_000),
        LONG_FROM_BYTES: String(8 * 1024 ** 3),
      })
    }
    expect(senders(service)).toEqual({
      ...{ ConsumersOnUpload: ['LongWork', 'Work'], ConsumersDeadLetter: ['Work'] },
      Worker: ['LongWork', 'Shards'],
    })
    expect(senders(onlyCpu.service)).toEqual({
      ...{ ConsumersOnUpload: ['Work'], ConsumersDeadLetter: ['Work'] },
      Worker: ['Shards', 'Work'],
    })
  })

  it('the GPU worker takes from those queues alone, and leaves nothing to others', () => {
    const variables = taskEnvironment(gpu)
    expect(variables).toMatchObject({
      ...{ WORK_QUEUE_URL: queueOf('LongWork'), SHARDS_QUEUE_URL: queueOf('LongShards') },
      SHARD_MS: String(FULL.gpu.shardSeconds * 1000),
    })
    expect(Object.keys(variables).filter((name) => name.startsWith('LONG_'))).toEqual([])
    expect(senders(gpu)).toEqual({ Worker: ['LongShards', 'LongWork'] })
    expect(JSON.stringify(gpu.toJSON())).not.toMatch(/GetAtt(Work|Shards)Queue/)
    expect(taskEnvironment(onlyGpu.gpu!)).toMatchObject({
      ...{ WORK_QUEUE_URL: queueOf('Work'), SHARDS_QUEUE_URL: queueOf('Shards') },
      SHARD_MS: String(FULL.gpu.shardSeconds * 1000),
    })
  })

  it('the worker of either kind hears the shards that its kind has cut, and no others', () => {
    expect(takers(service)).toEqual({ Worker: ['Shards', 'Work'] })
    expect(takers(gpu)).toEqual({ Worker: ['LongShards', 'LongWork'] })
    expect(takers(onlyGpu.gpu!)).toEqual({ Worker: ['Shards', 'Work'] })
    expect(takers(onlyGpu.service)).toEqual({})
  })

  it('its length is what starts machines, as that of the one queue is without CPU workers', () => {
    const watching = (template: typeof gpu) =>
      resourcesOf(template)
        .filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
        .map(([, { Properties }]) => JSON.stringify(Properties.Metrics))
        .filter((metrics) => metrics.includes('AWS/SQS'))
    for (const [template, ...queues] of [
      [gpu, 'LongWork', 'LongShards'],
      [onlyGpu.gpu!, 'Work', 'Shards'],
    ] as const) {
      const alarms = watching(template)
      // Those that scale out and in, and those that say that there is no machine, or that nobody works.
      expect(alarms).toHaveLength(4)
      for (const queue of queues)
        expect(alarms.filter((metrics) => !metrics.includes(`GetAtt${queue}Queue`))).toEqual([])
    }
  })

  it('its dead letters are cleared away as those of the others, and it has their alarms', () => {
    const sources = resourcesOf(service)
      .filter(([, { Type }]) => Type === 'AWS::Lambda::EventSourceMapping')
      .map(([, { Properties }]) => JSON.stringify(Properties.EventSourceArn))
    expect(sources.filter((arn) => /Work|Shards|Uploads/.test(arn))).toHaveLength(8)
    for (const [name, id] of [
      ['long-work', 'LongWork'],
      ['long-shards', 'LongShards'],
    ] as const) {
      expect(sources.filter((arn) => arn.includes(`${id}DeadLetters`))).toHaveLength(1)
      for (const kind of ['waiting', 'dead-letters', 'dead-letters-waiting']) {
        const queue = kind === 'waiting' ? `GetAtt${id}Queue` : `GetAtt${id}DeadLetters`
        monitoring.hasResourceProperties('AWS::CloudWatch::Alarm', {
          AlarmName: `verbatim-full-${name}-${kind}`,
          Dimensions: [{ Name: 'QueueName', Value: { 'Fn::ImportValue': Match.stringLikeRegexp(queue) } }],
        })
      }
    }
  })
})

/** What the container is told. */
function taskEnvironment(template: typeof gpu): Record<string, unknown> {
  const [[, { Properties }]] = resourcesOf(template).filter(
    ([, { Type }]) => Type === 'AWS::ECS::TaskDefinition',
  ) as [ReturnType<typeof resourcesOf>[number]]
  const [{ Environment }] = Properties.ContainerDefinitions as [
    { Environment: Array<{ Name: string; Value: unknown }> },
  ]
  return Object.fromEntries(Environment.map(({ Name, Value }) => [Name, Value]))
}

/** The address of a queue of the data stack. */
const queueOf = (name: string) => ({
  'Fn::ImportValue': expect.stringMatching(`ExportsOutputRef${name}Queue`),
})

const BATCH_QUEUES = /GetAtt(LongWork|LongShards|Work|Shards)Queue/g

/** Who may send to which queue of the batch lane, by the beginnings of their names. */
const senders = (template: typeof gpu) => grantees(template, 'sqs:SendMessage')
/** Likewise who may take from them. */
const takers = (template: typeof gpu) => grantees(template, 'sqs:ReceiveMessage')

function grantees(template: typeof gpu, action: string): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const { id, Action, Resource } of statementsOf(template)) {
    const queues = [...JSON.stringify(Resource ?? []).matchAll(BATCH_QUEUES)].map(([, queue]) => queue!)
    if (!Action.includes(action) || queues.length === 0) continue
    const who = /^(Consumers(OnUpload|DeadLetter)|Worker|.*)/.exec(id)![1]!
    found[who] = [...(found[who] ?? []), ...queues].sort()
  }
  return found
}

describe('their network', () => {
  it('never has a NAT gateway, and accepts no connection from outside', () => {
    for (const template of [gpu, open]) {
      template.resourceCountIs('AWS::EC2::NatGateway', 0)
      const opened = resourcesOf(template)
        .filter(([, { Type }]) => /SecurityGroup(Ingress)?$/.test(Type))
        .filter(([, { Properties }]) =>
          JSON.stringify(Properties.SecurityGroupIngress ?? []).includes('0.0.0.0/0'),
        )
      expect(opened).toEqual([])
    }
  })

  it('has no way to the internet when it is private, and endpoints instead', () => {
    gpu.resourceCountIs('AWS::EC2::InternetGateway', 0)
    gpu.resourceCountIs('AWS::EC2::VPCEndpoint', 10)
    open.resourceCountIs('AWS::EC2::InternetGateway', 1)
    open.resourceCountIs('AWS::EC2::VPCEndpoint', 2)
  })
})
