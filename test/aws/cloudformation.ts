import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ListExportsCommand,
  ListStacksCommand,
} from '@aws-sdk/client-cloudformation'
import { shared } from '../../lib/adapters/aws/clients.ts'
import { until } from '../support/service.ts'

/** A template as the CDK writes it. */
export interface Template {
  readonly Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>
}

const cloudFormation = () => new CloudFormationClient(shared(60_000))

/** Why stacks can't be deployed here; undefined where they can. */
export async function whyNotDeployable(): Promise<string | undefined> {
  if (!process.env.AWS_ENDPOINT_URL) {
    return 'they are for an emulator (AWS_ENDPOINT_URL); in an account, `npx cdk deploy --all` is the test'
  }
  try {
    await cloudFormation().send(new ListStacksCommand({}))
    return undefined
  } catch (error) {
    return `the endpoint does not answer as CloudFormation does (${error})`
  }
}

/** Gives the outputs. */
export async function createStack(StackName: string, template: Template): Promise<Record<string, string>> {
  const cloud = cloudFormation()
  // Without line breaks, as a template that is sent along may have 51,200 bytes.
  const TemplateBody = JSON.stringify(template)
  await cloud.send(new CreateStackCommand({ StackName, TemplateBody, Capabilities: ['CAPABILITY_IAM'] }))
  const { Outputs = [] } = await settled(cloud, StackName, 'CREATE_COMPLETE')
  return Object.fromEntries(Outputs.map((it) => [it.OutputKey!, it.OutputValue!]))
}

export async function deleteStack(StackName: string): Promise<void> {
  const cloud = cloudFormation()
  await cloud.send(new DeleteStackCommand({ StackName }))
  await settled(cloud, StackName, 'DELETE_COMPLETE')
}

/** What a stack has made, by logical id: a queue's URL, a table's name. */
export async function physicalIds(StackName: string): Promise<Map<string, string>> {
  const { StackResources = [] } = await cloudFormation().send(
    new DescribeStackResourcesCommand({ StackName }),
  )
  return new Map(StackResources.map((it) => [it.LogicalResourceId!, it.PhysicalResourceId!]))
}

/** Names and values of all exports of the account. */
export async function listExports(): Promise<Map<string, string>> {
  const cloud = cloudFormation()
  const found = new Map<string, string>()
  let NextToken: string | undefined
  do {
    const page = await cloud.send(new ListExportsCommand({ ...(NextToken && { NextToken }) }))
    for (const { Name, Value } of page.Exports ?? []) found.set(Name!, Value!)
    NextToken = page.NextToken
  } while (NextToken)
  return found
}

/** Waits for a stack to come to rest. Fails with CloudFormation's reasons if it is not `wanted`. */
async function settled(cloud: CloudFormationClient, StackName: string, wanted: string) {
  const ask = new DescribeStacksCommand({ StackName })
  const gone = (error: Error) => {
    if (wanted !== 'DELETE_COMPLETE' || !/does not exist/.test(error.message)) throw error
    return { Stacks: [{ StackStatus: wanted, Outputs: [] }] }
  }
  const rested = await until(async () => {
    const { Stacks } = await cloud.send(ask).catch(gone)
    const stack = Stacks![0]!
    return stack.StackStatus!.endsWith('_IN_PROGRESS') ? undefined : stack
  }, 120_000)
  if (rested.StackStatus === wanted) return rested
  const { StackEvents = [] } = await cloud.send(new DescribeStackEventsCommand({ StackName }))
  const reasons = StackEvents.filter((it) => it.ResourceStatus?.endsWith('_FAILED')).map(
    (it) => `${it.LogicalResourceId} (${it.ResourceType}): ${it.ResourceStatusReason}`,
  )
  throw new Error([`${StackName} is ${rested.StackStatus} and not ${wanted}`, ...reasons].join('\n'))
}
