import { RemovalPolicy } from 'aws-cdk-lib'
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'
import type { Stage } from '../stages.ts'

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
 * have addresses and accept no connection. `private`: no way out, AWS through endpoints, at about a cent an hour each.
 */
export class GpuNetwork extends Construct {
  readonly vpc: IVpc
  readonly subnets: { subnetType: SubnetType }

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id)
    const isPrivate = stage.gpu.network === 'private'
    this.subnets = { subnetType: isPrivate ? SubnetType.PRIVATE_ISOLATED : SubnetType.PUBLIC }
    const vpc = new Vpc(this, 'Vpc', {
      maxAzs: 3,
      natGateways: 0,
      // Would be done by a custom resource; nothing uses the default group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [{ name: 'workers', ...this.subnets }],
      gatewayEndpoints: {
        S3: { service: GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
    })
    // The class's optional properties are wider than its interface's under exactOptionalPropertyTypes.
    this.vpc = vpc as IVpc
    logRejected(this, vpc, stage)
    if (!isPrivate) return
    for (const [name, service] of Object.entries(SERVICES)) {
      const endpoint = vpc.addInterfaceEndpoint(name, { service, subnets: this.subnets })
      acknowledge(endpoint, {
        EC23: 'Port 443 is open to the network itself; the rule cannot read an address range that is a reference.',
      })
    }
  }
}

/** Who has tried to connect to what does not let them. */
export function logRejected(scope: Construct, vpc: Vpc, stage: Stage): void {
  const logs = new LogGroup(scope, 'Rejected', {
    retention: stage.logDays,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  vpc.addFlowLog('RejectedFlows', {
    destination: FlowLogDestination.toCloudWatchLogs(logs),
    trafficType: FlowLogTrafficType.REJECT,
  })
}
