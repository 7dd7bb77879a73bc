import { InterfaceVpcEndpointAwsService, SubnetType } from 'aws-cdk-lib/aws-ec2'
import type { Construct } from 'constructs'
import type { Stage } from '../stages.ts'
import { Network } from './network.ts'

/** What a machine without internet must reach. */
const SERVICES = {
  Sqs: InterfaceVpcEndpointAwsService.SQS,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Ecr: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Ecs: InterfaceVpcEndpointAwsService.ECS,
  EcsAgent: InterfaceVpcEndpointAwsService.ECS_AGENT,
  EcsTelemetry: InterfaceVpcEndpointAwsService.ECS_TELEMETRY,
  Kms: InterfaceVpcEndpointAwsService.KMS,
}

/**
 * The network of the GPU machines, without a NAT gateway (it costs more than the service at rest). `public`: machines
 * have addresses and accept no connection. `private`: no way out, AWS through endpoints.
 */
export class GpuNetwork extends Network {
  constructor(scope: Construct, id: string, stage: Stage) {
    const isPrivate = stage.gpu.network === 'private'
    super(scope, id, {
      ...{ stage, maxAzs: 3 },
      subnets: {
        name: 'workers',
        subnetType: isPrivate ? SubnetType.PRIVATE_ISOLATED : SubnetType.PUBLIC,
      },
      services: isPrivate ? SERVICES : {},
    })
  }
}
