import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
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
