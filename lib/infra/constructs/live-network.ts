import { InterfaceVpcEndpointAwsService, SubnetType } from 'aws-cdk-lib/aws-ec2'
import type { Construct } from 'constructs'
import type { Stage } from '../stages.ts'
import { Network } from './network.ts'

/** The network in which Redis lies and the live worker with it: no way to the internet, AWS through endpoints. */
export class LiveNetwork extends Network {
  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id, {
      stage,
      // As many as ElastiCache wants.
      maxAzs: 2,
      subnets: { name: 'live', subnetType: SubnetType.PRIVATE_ISOLATED },
      services: { Sqs: InterfaceVpcEndpointAwsService.SQS },
    })
  }
}
