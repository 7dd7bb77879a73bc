import { VerbatimError } from '../../core/errors.ts'
import type { TokenStore } from '../../core/ports.ts'
import { documentClientIn } from './clients.ts'
import { awsName } from './errors.ts'
import { createTokenStore } from './token-store.ts'

/** A deployment, by its DynamoDB table or by the CloudFormation stack that names it in its outputs. */
export type DeploymentName = { readonly table: string } | { readonly stack: string }

export interface AdminTokens {
  readonly tokens: TokenStore
  /** Of the API; known of a stack only. */
  readonly url: string | undefined
}

/**
 * The tokens of a deployment, for an administrator with AWS credentials in the environment or the shared files of the
 * AWS CLI. Without `region` that of environment or profile. Fails with `forbidden` without credentials or rights,
 * `not-found` for a table or stack that is not there, `bad-request` without a region.
 */
export async function adminTokens(name: DeploymentName, region?: string): Promise<AdminTokens> {
  const { table, url } =
    'stack' in name ? await explain(outputsOf)(name.stack, region) : { ...name, url: undefined }
  const tokens = createTokenStore(documentClientIn(region), table)
  return {
    url,
    tokens: {
      put: explain(tokens.put),
      get: explain(tokens.get),
      list: explain(tokens.list),
      remove: explain(tokens.remove),
    },
  }
}

/** CloudFormation's client is loaded only by who names a stack. */
const outputsOf = async (stack: string, region?: string) =>
  (await import('./stack.ts')).readStack(stack, region)

/** The same, its errors in the words of an administrator: the service's own roles are set up right, a shell often not. */
const explain =
  <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
  async (...args: A): Promise<R> => {
    try {
      return await method(...args)
    } catch (thrown) {
      throw explained(thrown)
    }
  }

const UNKNOWN = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'MissingAuthenticationTokenException',
])
const INVALID = new Set([
  ...[
    'UnrecognizedClientException',
    'InvalidClientTokenId',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
  ],
  ...['ExpiredTokenException', 'ExpiredToken', 'IncompleteSignature'],
])
const DENIED = new Set(['AccessDeniedException', 'AccessDenied'])

const SIGN_IN =
  'Sign in with the AWS CLI, or set AWS_PROFILE; `aws sts get-caller-identity` shows who you are.'
const RIGHTS =
  'It takes cloudformation:DescribeStacks on the stack (for --stack), dynamodb:PutItem, Query and DeleteItem on its table.'

function explained(thrown: unknown): unknown {
  const cause = thrown instanceof VerbatimError ? thrown.cause : thrown
  const name = awsName(cause)
  if (UNKNOWN.has(name)) return forbidden('There are no AWS credentials.', SIGN_IN, cause)
  if (INVALID.has(name)) return forbidden(`AWS does not accept these credentials (${name}).`, SIGN_IN, cause)
  if (DENIED.has(name)) return forbidden(`AWS does not let you do this (${name}).`, RIGHTS, cause)
  if (name === 'ResourceNotFoundException') {
    const hint = "The stack's outputs name the table, or give --stack; is --region the one it is in?"
    return new VerbatimError('not-found', 'There is no such table in this account and region.', {
      hint,
      cause,
    })
  }
  if (cause instanceof Error && cause.message === 'Region is missing') {
    const hint = 'Give --region, or set AWS_REGION.'
    return new VerbatimError('bad-request', 'No AWS region is set.', { hint, cause })
  }
  return thrown
}

const forbidden = (message: string, hint: string, cause: unknown) =>
  new VerbatimError('forbidden', message, { hint, cause })
