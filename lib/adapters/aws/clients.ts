import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { readEnvironment } from '../env.ts'
import { traced } from './tracing.ts'

// One client of each kind per process, so that connections and credentials outlive an invocation. They are apart,
// so that a function's bundle holds only those that it uses: `@__PURE__` lets esbuild leave the others out.

const text = z
  .string()
  .optional()
  .transform((value) => value || undefined)

const Environment = z.object({
  /** An AWS-compatible endpoint in place of AWS. The SDK reads it itself; here it only decides what goes with it. */
  AWS_ENDPOINT_URL: text,
  AWS_REGION: text,
  AWS_DEFAULT_REGION: text,
  AWS_ACCESS_KEY_ID: text,
  AWS_PROFILE: text,
})

/**
 * What every client is made with; `requestTimeout` in ms. The time limits are for one attempt: without them a lost
 * connection holds a request until the function itself runs out of time.
 */
export function shared(requestTimeout: number, given?: string) {
  const environment = readEnvironment(Environment)
  const endpoint = environment.AWS_ENDPOINT_URL
  // The AWS CLI knows the second name, the SDK does not. Without either the SDK looks into the profile.
  const region = given ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION
  const known = environment.AWS_ACCESS_KEY_ID ?? environment.AWS_PROFILE
  const limits = {
    connectionTimeout: 3000,
    requestTimeout,
    throwOnRequestTimeout: true,
    socketTimeout: 30_000,
  }
  return {
    maxAttempts: 5,
    requestHandler: limits,
    ...(endpoint && { endpoint }),
    ...(region ? { region } : endpoint && { region: 'us-east-1' }),
    // Emulators take any credentials, but the SDK signs only with some.
    ...(endpoint && !known && { credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }),
  }
}

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** Joining many parts takes S3 long. */
export const s3Client = /* @__PURE__ */ once(() => {
  const common = shared(60_000)
  const client = new S3Client({
    ...common,
    // Names of buckets are no host names at an endpoint of one's own.
    forcePathStyle: 'endpoint' in common,
    // Else a checksum of no bytes is signed into upload URLs, which then accept no file
    // (https://github.com/aws/aws-sdk-js-v3/issues/6818).
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  return traced(client)
})

export const documentClientIn = (region?: string): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(traced(new DynamoDBClient(shared(5000, region))), {
    marshallOptions: { removeUndefinedValues: true },
  })

export const documentClient = /* @__PURE__ */ once(() => documentClientIn())

/** A long poll takes 20 s. */
export const sqsClient = /* @__PURE__ */ once(() => traced(new SQSClient(shared(30_000))))
