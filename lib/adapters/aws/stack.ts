import { CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation'
import { VerbatimError } from '../../core/errors.ts'
import { shared } from './clients.ts'
import { awsError, awsName } from './errors.ts'

/** What a deployment says of itself; the names are those of the outputs in lib/infra/stacks/service.ts. */
export interface StackOutputs {
  readonly table: string
  /** Of its API. */
  readonly url: string | undefined
}

const SERVICE_STACK = 'The service stack is the one without an ending: verbatim-dev, verbatim-prod.'

/**
 * Reads the outputs of a deployment's service stack, named by name or ARN. Fails with `not-found` for a stack that is
 * not there or is none of ours, `bad-request` for what is no name, and as `awsError` says for all else.
 */
export async function readStack(name: string, region?: string): Promise<StackOutputs> {
  const { Outputs = [], StackStatus } = await describe(name, region)
  const outputs = new Map(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]))
  const table = outputs.get('TableName')
  if (table !== undefined) return { table, url: outputs.get('ApiUrl') }
  const message = `The stack ${name} (${StackStatus}) has no output TableName.`
  throw new VerbatimError('not-found', message, { hint: SERVICE_STACK })
}

async function describe(name: string, region: string | undefined): Promise<Stack> {
  const client = new CloudFormationClient(shared(10_000, region))
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: name }))
    if (stack) return stack
    throw missing(name)
  } catch (thrown) {
    if (awsName(thrown) !== 'ValidationError') throw awsError(thrown)
    // The same code for a stack that is not there and for a name that none can have; the words differ.
    if (/does not exist/.test(String((thrown as Error).message))) throw missing(name, thrown)
    throw new VerbatimError('bad-request', `${name} is no name of a stack.`, {
      hint: SERVICE_STACK,
      cause: thrown,
    })
  }
}

const missing = (name: string, cause?: unknown) =>
  new VerbatimError('not-found', `There is no stack ${name} in this account and region.`, {
    hint: `${SERVICE_STACK} Is it in another region (--region) or account (AWS_PROFILE)?`,
    cause,
  })
