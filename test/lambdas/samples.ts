import type { SQSEvent, SQSRecord } from 'aws-lambda'
import type { HttpEvent } from '../../lambdas/api/http.ts'

// Events as AWS sends them.

export interface HttpRequest {
  readonly headers?: Record<string, string>
  readonly query?: Record<string, string>
  readonly jobId?: string
  readonly sessionId?: string
  readonly body?: string
  readonly base64?: boolean
  /** A body that is no text. */
  readonly bytes?: Uint8Array
  readonly stage?: string
}

/**
 * Payload format 2.0 of an HTTP API: header names in lower case, no field for what is absent, and the stage in
 * front of the path unless it is `$default`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpEvent(routeKey: string, request: HttpRequest = {}): HttpEvent {
  const { headers = {}, query, jobId, sessionId, bytes, stage = '$default' } = request
  const base64 = request.base64 || bytes !== undefined
  const body = request.body ?? (bytes && Buffer.from(bytes))
  const ids = { ...(jobId !== undefined && { jobId }), ...(sessionId !== undefined && { sessionId }) }
  const [method = '', path = ''] = routeKey.split(' ')
  const filled = path.replace(/\{\w+\}/, jobId ?? sessionId ?? '')
  const rawPath = `${stage === '$default' ? '' : `/${stage}`}${filled}`
  return {
    ...{ version: '2.0', routeKey, rawPath, rawQueryString: String(new URLSearchParams(query)) },
    headers: {
      ...{ accept: '*/*', 'content-length': String(body?.length ?? 0), host: 'abc123.execute-api.aws' },
      ...{ 'user-agent': 'curl/8.5.0', 'x-amzn-trace-id': 'Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e' },
      ...{ 'x-forwarded-for': '203.0.113.7', 'x-forwarded-port': '443', 'x-forwarded-proto': 'https' },
      ...headers,
    },
    ...(query && { queryStringParameters: query }),
    ...(Object.keys(ids).length > 0 && { pathParameters: ids }),
    ...(body !== undefined && { body: base64 ? Buffer.from(body).toString('base64') : String(body) }),
    isBase64Encoded: base64,
    requestContext: {
      ...{ accountId: '123456789012', apiId: 'abc123', domainName: 'abc123.execute-api.aws' },
      ...{ domainPrefix: 'abc123', requestId: 'JKJaXmPLvHcESHA=', routeKey, stage },
      ...{ time: '10/Mar/2026:05:16:23 +0000', timeEpoch: 1_583_817_383_220 },
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'curl/8.5.0' },
    },
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export function sqsEvent(...bodies: unknown[]): SQSEvent {
  const Records = bodies.map(
    (body, i): SQSRecord => ({
      messageId: `2e1424d4-f796-459a-8184-9c92662be6d${i}`,
      receiptHandle: `AQEBzWwaftRI0KuVm4tP+/7q1rGgNqicHq...${i}`,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      attributes: {
        ...{ ApproximateReceiveCount: '1', SentTimestamp: '1545082650636' },
        ...{ SenderId: 'AIDAIENQZJOLO23YVJ4VO', ApproximateFirstReceiveTimestamp: '1545082650649' },
      },
      ...{ messageAttributes: {}, md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3' },
      ...{ eventSource: 'aws:sqs', awsRegion: 'us-east-2' },
      eventSourceARN: 'arn:aws:sqs:us-east-2:123456789012:uploads',
    }),
  )
  return { Records }
}

/** The id of the record at a place in `sqsEvent`. */
export const failed = (...places: number[]) => ({
  batchItemFailures: places.map((i) => ({ itemIdentifier: `2e1424d4-f796-459a-8184-9c92662be6d${i}` })),
})

/**
 * One record of an S3 notification; `key` is written as given, so encode it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export const s3Record = (key: string, eventName = 'ObjectCreated:Put') => ({
  ...{ eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: 'us-west-2', eventName },
  eventTime: '1970-01-01T00:00:00.000Z',
  userIdentity: { principalId: 'AIDAJDPLRKLG7UEXAMPLE' },
  requestParameters: { sourceIPAddress: '127.0.0.1' },
  responseElements: { 'x-amz-request-id': 'C3D13FE58DE4C810', 'x-amz-id-2': 'FMyUVURIY8/IgAtTv8xRjskZQ' },
  s3: {
    ...{ s3SchemaVersion: '1.0', configurationId: 'uploads' },
    bucket: {
      name: 'amzn-s3-demo-bucket',
      ownerIdentity: { principalId: 'A3NL1KOZZKExample' },
      arn: 'arn:aws:s3:::amzn-s3-demo-bucket',
    },
    object: { key, size: 1024, eTag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer: '0055AED6DCD90281E5' },
  },
})

export const s3Message = (...records: ReturnType<typeof s3Record>[]) => ({ Records: records })

/** What S3 sends once, when a notification is set up. */
export const S3_TEST_EVENT = {
  ...{ Service: 'Amazon S3', Event: 's3:TestEvent', Time: '2014-10-13T15:57:02.089Z' },
  ...{
    Bucket: 'bucketname',
    RequestId: '5582815E1AEA5ADF',
    HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9',
  },
}
