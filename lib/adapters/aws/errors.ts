import { toVerbatimError, VerbatimError } from '../../core/errors.ts'
import { translateErrors } from '../translate-errors.ts'

/** The fields of the SDK's errors that are looked at. They come from several packages, so no class is common. */
interface AwsError {
  readonly name?: unknown
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** What passes by itself, beyond 429 and 5xx: throttling by its many names, and connections that break. */
const PASSING = new Set([
  ...['ThrottlingException', 'Throttling', 'ProvisionedThroughputExceededException', 'RequestLimitExceeded'],
  ...[
    'RequestThrottled',
    'SlowDown',
    'TooManyRequestsException',
    'KmsThrottled',
    'TransactionConflictException',
  ],
  ...['RequestTimeout', 'RequestTimeoutException', 'TimeoutError', 'AbortError', 'InternalError'],
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EHOSTUNREACH'],
  ...['ERR_STREAM_PREMATURE_CLOSE', 'PreconditionFailed'],
])

/** The error's name in AWS's documentation, or its errno code. */
export function awsName(thrown: unknown): string {
  const { name } = (thrown ?? {}) as AwsError
  return typeof name === 'string' ? name : ''
}

const statusOf = (thrown: unknown): number => ((thrown ?? {}) as AwsError).$metadata?.httpStatusCode ?? 0

/** True for an object, table item or upload that is not there. HEAD has no body, so S3 names its reply `NotFound`. */
export const isMissing = (thrown: unknown): boolean =>
  ['NoSuchKey', 'NotFound'].includes(awsName(thrown)) && statusOf(thrown) === 404

/** `storage-unavailable` for what passes by itself, `disk-full`, else `internal`: permissions, names, our own faults. */
export function awsError(thrown: unknown): VerbatimError {
  if (thrown instanceof VerbatimError) return thrown
  const { code } = (thrown ?? {}) as AwsError
  const status = statusOf(thrown)
  const passing = PASSING.has(awsName(thrown)) || PASSING.has(String(code)) || status === 429 || status >= 500
  if (passing) return new VerbatimError('storage-unavailable', 'AWS does not answer.', { cause: thrown })
  return toVerbatimError(thrown)
}

/** The same adapter, what the SDK throws turned into errors of the table. */
export const withAwsErrors = <T extends object>(adapter: T): T => translateErrors(adapter, awsError)
