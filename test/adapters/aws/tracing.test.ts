import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GetObjectCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { traced } from '../../../lib/adapters/aws/tracing.ts'

const TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'

// A store that answers with whatever status it is told, and the daemon that Lambda runs beside a function.
let store: Server
let daemon: Socket
let status = 200
const received: string[] = []

beforeAll(async () => {
  store = createServer((_, reply) => void reply.writeHead(status).end()).listen(0, '127.0.0.1')
  await once(store, 'listening')
  daemon = createSocket('udp4', (message) => void received.push(message.toString()))
  daemon.bind(0, '127.0.0.1')
  await once(daemon, 'listening')
})
afterAll(() => {
  store.close()
  daemon.close()
})
beforeEach(() => {
  status = 200
  received.length = 0
  process.env.AWS_XRAY_DAEMON_ADDRESS = `127.0.0.1:${daemon.address().port}`
  process.env._X_AMZN_TRACE_ID = TRACE
})
afterEach(() => {
  delete process.env.AWS_XRAY_DAEMON_ADDRESS
  delete process.env._X_AMZN_TRACE_ID
})

const client = () =>
  traced(
    new S3Client({
      ...{ region: 'us-east-1', maxAttempts: 1, forcePathStyle: true },
      endpoint: `http://127.0.0.1:${(store.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }),
  )

async function subsegments(count: number) {
  while (received.length < count) await once(daemon, 'message')
  return received.map((message) => {
    const [header, document, ...rest] = message.split('\n')
    expect([JSON.parse(header!), rest]).toEqual([{ format: 'json', version: 1 }, []])
    return JSON.parse(document!)
  })
}

describe('a traced client', () => {
  it('tells the daemon of each call: which, when, and in which trace; not with what', async () => {
    const s3 = client()
    const before = Date.now() / 1000
    await s3.send(new HeadBucketCommand({ Bucket: 'secret-bucket' }))
    const [subsegment] = await subsegments(1)
    expect(subsegment).toEqual({
      ...{ type: 'subsegment', name: 'S3', namespace: 'aws', aws: { operation: 'HeadBucket' } },
      ...{ trace_id: '1-5759e988-bd862e3fe1be46a994272793', parent_id: '53995c3f42cd8ad8' },
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      ...{ start_time: expect.any(Number), end_time: expect.any(Number) },
    })
    expect(subsegment.start_time).toBeGreaterThanOrEqual(before)
    expect(subsegment.end_time).toBeGreaterThanOrEqual(subsegment.start_time)
    expect(received.join()).not.toContain('secret-bucket')
  })

  it.each([
    [500, { fault: true }],
    [429, { error: true, throttle: true }],
    [404, { error: true }],
  ])('says whose fault it is when a call fails with %d, and fails as it would have', async (code, blame) => {
    status = code
    const call = client().send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }))
    await expect(call).rejects.toMatchObject({ $metadata: { httpStatusCode: code } })
    expect(await subsegments(1)).toEqual([expect.objectContaining(blame)])
  })

  it('tells nothing of a call that X-Ray did not choose, or outside of an invocation', async () => {
    const s3 = client()
    process.env._X_AMZN_TRACE_ID = TRACE.replace('Sampled=1', 'Sampled=0')
    await s3.send(new HeadBucketCommand({ Bucket: 'unwanted' }))
    delete process.env._X_AMZN_TRACE_ID
    await s3.send(new HeadBucketCommand({ Bucket: 'outside' }))
    process.env._X_AMZN_TRACE_ID = TRACE
    await s3.send(new HeadBucketCommand({ Bucket: 'wanted' }))
    expect(await subsegments(1)).toHaveLength(1)
  })

  it('tells nothing of URLs that it only signs', async () => {
    const s3 = client()
    await getSignedUrl(s3, new GetObjectCommand({ Bucket: 'b', Key: 'k' }))
    await s3.send(new HeadBucketCommand({ Bucket: 'b' }))
    expect(await subsegments(1)).toMatchObject([{ aws: { operation: 'HeadBucket' } }])
  })

  it('is left alone where there is no daemon', () => {
    delete process.env.AWS_XRAY_DAEMON_ADDRESS
    const plain = new S3Client({ region: 'us-east-1' })
    const before = plain.middlewareStack.identify().length
    expect(traced(plain)).toBe(plain)
    expect(plain.middlewareStack.identify()).toHaveLength(before)
  })
})
