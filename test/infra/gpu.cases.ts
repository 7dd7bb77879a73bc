import { describe, expect, it } from '@jest/globals'
import { Match } from 'aws-cdk-lib/assertions'
import { FULL, resourcesOf, templatesOf } from './support.ts'

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
