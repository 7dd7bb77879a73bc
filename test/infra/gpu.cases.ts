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
        Match.objectLike({ Expression: 'MAX([CEIL((waiting + taken) / 4), CEIL(taken / 2)])' }),
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

  it('long recordings have a queue of their own, and nowhere else', () => {
    const long = resourcesOf(data).filter(
      ([id, { Type }]) => Type === 'AWS::SQS::Queue' && /^LongWork/.test(id),
    )
    expect(long).toHaveLength(2)
    for (const other of [onlyGpu, onlyCpu]) {
      expect(JSON.stringify(other.data.toJSON())).not.toContain('LongWork')
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
        LONG_WORK_QUEUE_URL: queueOf('LongWork'),
        LONG_FROM_MS: '900000',
        LONG_FROM_BYTES: String(8 * 1024 ** 3),
      })
    }
    expect(senders(service)).toEqual({ ConsumersOnUpload: ['LongWork', 'Work'], Worker: ['LongWork'] })
    expect(senders(onlyCpu.service)).toEqual({ ConsumersOnUpload: ['Work'], Worker: ['Work'] })
  })

  it('the GPU worker takes from that queue alone, and leaves nothing to others', () => {
    const variables = taskEnvironment(gpu)
    expect(variables.WORK_QUEUE_URL).toEqual(queueOf('LongWork'))
    expect(Object.keys(variables).filter((name) => name.startsWith('LONG_'))).toEqual([])
    expect(senders(gpu)).toEqual({ Worker: ['LongWork'] })
    expect(JSON.stringify(gpu.toJSON())).not.toMatch(/GetAttWorkQueue/)
    expect(taskEnvironment(onlyGpu.gpu!).WORK_QUEUE_URL).toEqual(queueOf('Work'))
  })

  it('its length is what starts machines, as that of the one queue is without CPU workers', () => {
    const watching = (template: typeof gpu) =>
      resourcesOf(template)
        .filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
        .map(([, { Properties }]) => JSON.stringify(Properties.Metrics))
        .filter((metrics) => metrics.includes('AWS/SQS'))
    for (const [template, queue] of [
      [gpu, 'LongWork'],
      [onlyGpu.gpu!, 'Work'],
    ] as const) {
      const alarms = watching(template)
      // Those that scale out and in, and the one that says that there is no machine.
      expect(alarms.length).toBeGreaterThanOrEqual(3)
      expect(alarms.filter((metrics) => !metrics.includes(`GetAtt${queue}Queue`))).toEqual([])
    }
  })

  it('its dead letters are cleared away as those of the others, and it has their alarms', () => {
    const sources = resourcesOf(service)
      .filter(([, { Type }]) => Type === 'AWS::Lambda::EventSourceMapping')
      .map(([, { Properties }]) => JSON.stringify(Properties.EventSourceArn))
    expect(sources.filter((arn) => /Work|Uploads/.test(arn))).toHaveLength(5)
    expect(sources.filter((arn) => arn.includes('LongWorkDeadLetters'))).toHaveLength(1)
    for (const kind of ['waiting', 'dead-letters', 'dead-letters-waiting']) {
      monitoring.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: `verbatim-full-long-work-${kind}`,
        Dimensions: [
          {
            Name: 'QueueName',
            Value: {
              'Fn::ImportValue': Match.stringLikeRegexp(
                kind === 'waiting' ? 'GetAttLongWorkQueue' : 'GetAttLongWorkDeadLetters',
              ),
            },
          },
        ],
      })
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

/** Who may send to which queue of work, by the beginnings of their names. */
function senders(template: typeof gpu): Record<string, string[]> {
  const found = statementsOf(template)
    .filter(({ Action }) => Action.includes('sqs:SendMessage'))
    .map(({ id, Resource }) => {
      const queues = [...JSON.stringify(Resource).matchAll(/GetAtt(LongWork|Work)Queue/g)]
      return [/^(ConsumersOnUpload|Worker|.*)/.exec(id)![1]!, queues.map(([, queue]) => queue!).sort()]
    })
  return Object.fromEntries(found.filter(([, queues]) => queues!.length > 0))
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
