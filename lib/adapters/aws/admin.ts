import { VerbatimError } from '../../core/errors.ts'
import type { TokenStore } from '../../core/ports.ts'
import { documentClient } from './clients.ts'
import { awsName } from './errors.ts'
import { createTokenStore } from './token-store.ts'

/**
 * The tokens of a deployment, for an administrator with AWS credentials in the environment or the shared files of the
 * AWS CLI. `table` is its DynamoDB table; the stack names it in its outputs. Fails with `forbidden` without
 * credentials or rights, `not-found` for another table's name, `bad-request` without a region.
 */
export function adminTokens(table: string): TokenStore {
  const tokens = createTokenStore(documentClient(), table)
  const explain =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await method(...args)
      } catch (thrown) {
        throw explained(thrown)
      }
    }
  return {
    put: explain(tokens.put),
    get: explain(tokens.get),
    list: explain(tokens.list),
    remove: explain(tokens.remove),
  }
}

const DENIED = new Set([
  ...['CredentialsProviderError', 'AccessDeniedException', 'UnrecognizedClientException'],
  ...['ExpiredTokenException', 'InvalidSignatureException', 'MissingAuthenticationTokenException'],
])

/** The service's own roles are set up right; an administrator's shell often is not. */
function explained(thrown: unknown): unknown {
  const cause = thrown instanceof VerbatimError ? thrown.cause : thrown
  if (DENIED.has(awsName(cause))) {
    const hint =
      'Sign in with the AWS CLI, or set AWS_PROFILE; `aws sts get-caller-identity` shows who you are.'
    return new VerbatimError('forbidden', `AWS refuses this (${awsName(cause)}).`, { hint, cause })
  }
  if (awsName(cause) === 'ResourceNotFoundException') {
    const hint = "The stack's outputs name the table; is AWS_REGION the one it is in?"
    return new VerbatimError('not-found', 'There is no such table in this account and region.', {
      hint,
      cause,
    })
  }
  if (cause instanceof Error && cause.message === 'Region is missing') {
    return new VerbatimError('bad-request', 'No AWS region is set.', { hint: 'Set AWS_REGION.', cause })
  }
  return thrown
}
