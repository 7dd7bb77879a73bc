import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'

/** A function's role: its own log group and traces; everything else it is granted one by one. */
export function functionRole(scope: Construct, id: string, logs: LogGroup): Role {
  const role = new Role(scope, id, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  logs.grantWrite(role)
  acknowledge(role, { 'IAM5[Resource::*]': 'X-Ray has no resources: PutTraceSegments allows nothing but *.' })
  return role
}

/** What Lambda does in the name of a function that lies in a network: it has no resources that could be named before. */
export function grantInterfaces(role: Role): void {
  const actions = [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ]
  role.addToPolicy(new PolicyStatement({ actions, resources: ['*'] }))
}
