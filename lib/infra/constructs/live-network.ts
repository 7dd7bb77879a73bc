import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'
import type { Stage } from '../stages.ts'
import { logRejected } from './gpu-network.ts'

/** The network in which Redis lies and the live worker with it: no way to the internet, AWS through endpoints. */
export class LiveNetwork extends Construct {
  readonly vpc: IVpc
  readonly subnets = { subnetType: SubnetType.PRIVATE_ISOLATED }

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id)
    const vpc = new Vpc(this, 'Vpc', {
      // As many as ElastiCache wants.
      ...{ maxAzs: 2, natGateways: 0 },
      // Would be done by a custom resource; nothing uses the default group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [{ name: 'live', ...this.subnets }],
      gatewayEndpoints: {
        S3: { service: GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
    })
    // The class's optional properties are wider than its interface's under exactOptionalPropertyTypes.
    this.vpc = vpc as IVpc
    logRejected(this, vpc, stage)
    const sqs = vpc.addInterfaceEndpoint('Sqs', {
      ...{ service: InterfaceVpcEndpointAwsService.SQS, subnets: this.subnets },
    })
    acknowledge(sqs, {
      EC23: 'Port 443 is open to the network itself; the rule cannot read an address range that is a reference.',
    })
  }
}
