import { RemovalPolicy } from 'aws-cdk-lib'
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  type InterfaceVpcEndpointAwsService,
  type IVpc,
  type SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'
import type { Stage } from '../stages.ts'

export interface NetworkProps {
  readonly stage: Stage
  readonly maxAzs: number
  /** The one group of subnets. */
  readonly subnets: { readonly name: string; readonly subnetType: SubnetType }
  /** What is reached through interface endpoints, by the endpoint's id; about a cent an hour each. */
  readonly services: Readonly<Record<string, InterfaceVpcEndpointAwsService>>
}

/** A network without a NAT gateway; S3 and DynamoDB are reached through gateway endpoints, which cost nothing. */
export class Network extends Construct {
  readonly vpc: IVpc
  readonly subnets: { subnetType: SubnetType }

  constructor(scope: Construct, id: string, { stage, maxAzs, subnets, services }: NetworkProps) {
    super(scope, id)
    this.subnets = { subnetType: subnets.subnetType }
    const vpc = new Vpc(this, 'Vpc', {
      maxAzs,
      natGateways: 0,
      // Would be done by a custom resource; nothing uses the default group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [subnets],
      gatewayEndpoints: {
        S3: { service: GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
    })
    // The class's optional properties are wider than its interface's under exactOptionalPropertyTypes.
    this.vpc = vpc as IVpc
    logRejected(this, vpc, stage)
    for (const [name, service] of Object.entries(services)) {
      const endpoint = vpc.addInterfaceEndpoint(name, { service, subnets: this.subnets })
      acknowledge(endpoint, {
        EC23: 'Port 443 is open to the network itself; the rule cannot read an address range that is a reference.',
      })
    }
  }
}

/** Who has tried to connect to what does not let them. */
function logRejected(scope: Construct, vpc: Vpc, stage: Stage): void {
  const logs = new LogGroup(scope, 'Rejected', {
    retention: stage.logDays,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  vpc.addFlowLog('RejectedFlows', {
    destination: FlowLogDestination.toCloudWatchLogs(logs),
    trafficType: FlowLogTrafficType.REJECT,
  })
}
