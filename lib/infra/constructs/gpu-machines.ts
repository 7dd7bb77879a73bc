import {
  AutoScalingGroup,
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  GroupMetrics,
  OnDemandAllocationStrategy,
  SpotAllocationStrategy,
} from 'aws-cdk-lib/aws-autoscaling'
import { InstanceType, LaunchTemplate, SecurityGroup, UserData } from 'aws-cdk-lib/aws-ec2'
import {
  AmiHardwareType,
  AsgCapacityProvider,
  Cluster,
  ContainerInsights,
  EcsOptimizedImage,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'
import type { Stage } from '../stages.ts'
import type { GpuNetwork } from './gpu-network.ts'

/** Machines with a GPU: none while nothing is to be done, one a task, under ECS. */
export class GpuMachines extends Construct {
  readonly cluster: ICluster
  readonly group: AutoScalingGroup
  readonly provider: AsgCapacityProvider
  readonly securityGroup: SecurityGroup

  constructor(scope: Construct, id: string, stage: Stage, network: GpuNetwork) {
    super(scope, id)
    const { vpc, subnets } = network
    const cluster = new Cluster(this, 'Cluster', { vpc, containerInsightsV2: ContainerInsights.ENABLED })
    this.cluster = cluster as ICluster
    this.securityGroup = new SecurityGroup(this, 'Machines', {
      vpc,
      description: 'GPU workers: connect to AWS, accept nothing',
    })
    this.group = new AutoScalingGroup(this, 'Group', {
      vpc,
      vpcSubnets: subnets,
      minCapacity: 0,
      maxCapacity: stage.gpu.maxTasks,
      groupMetrics: [GroupMetrics.all()],
      mixedInstancesPolicy: {
        launchTemplate: this.#template(stage),
        launchTemplateOverrides: [{ instanceType: new InstanceType(stage.gpu.instanceType) }],
        instancesDistribution: {
          onDemandAllocationStrategy: OnDemandAllocationStrategy.LOWEST_PRICE,
          spotAllocationStrategy: SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
          onDemandPercentageAboveBaseCapacity: stage.gpu.spot ? 0 : 100,
        },
      },
    })
    acknowledge(this.group, {
      EC26: 'The volume is encrypted in the launch template, where the rule does not look.',
      AS3: 'Machines come and go with the work by the hour; the alarms say when they should come and do not.',
    })
    this.provider = new AsgCapacityProvider(this, 'Capacity', {
      autoScalingGroup: this.group,
      // Only machines without a task are taken away.
      enableManagedTerminationProtection: true,
      enableManagedDraining: true,
    })
    cluster.addAsgCapacityProvider(this.provider)
  }

  #template(stage: Stage): LaunchTemplate {
    const role = new Role(this, 'MachineRole', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') })
    const userData = UserData.forLinux()
    // A spot notice drains the machine: its task gets SIGTERM and gives the job back.
    userData.addCommands('echo ECS_ENABLE_SPOT_INSTANCE_DRAINING=true >> /etc/ecs/ecs.config')
    acknowledge(role, {
      'IAM5[Action::ecs:Submit*]':
        'The agent reports states of its own cluster: containers, tasks, attachments.',
      'IAM5[Resource::*]':
        'DiscoverPollEndpoint, telemetry and Poll name no resource; CDK ties them to the cluster where AWS can.',
    })
    return new LaunchTemplate(this, 'Template', {
      role,
      instanceType: new InstanceType(stage.gpu.instanceType),
      machineImage: EcsOptimizedImage.amazonLinux2023(AmiHardwareType.GPU),
      userData,
      securityGroup: this.securityGroup,
      associatePublicIpAddress: stage.gpu.network === 'public',
      requireImdsv2: true,
      // The metadata service answers one hop away, and a container on the bridge is two: it gets no machine's role.
      httpPutResponseHopLimit: 1,
      blockDevices: [
        {
          deviceName: '/dev/xvda',
          // The image with its model, and recordings of a day with their decoded sound.
          volume: BlockDeviceVolume.ebs(100, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
        },
      ],
    })
  }
}
