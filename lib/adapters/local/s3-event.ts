import type { ObjectInfo } from '../../core/ports.ts'

export type CreatedBy = 'Put' | 'CompleteMultipartUpload'

/** Objects under `prefix` announce their creation in the queue named `queue`. */
export interface EventTarget {
  readonly prefix: string
  readonly queue: string
}

const BUCKET = 'local'

/**
 * The body that S3 sends to SQS when an object is created.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function objectCreated(object: ObjectInfo, by: CreatedBy, at: number): string {
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'local',
    eventTime: new Date(at).toISOString(),
    eventName: `ObjectCreated:${by}`,
    userIdentity: { principalId: 'local' },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': 'local', 'x-amz-id-2': 'local' },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'uploads',
      bucket: { name: BUCKET, ownerIdentity: { principalId: 'local' }, arn: `arn:aws:s3:::${BUCKET}` },
      object: {
        key: encodeEventKey(object.key),
        size: object.sizeBytes,
        // Without the quotes that the same value has in an HTTP header.
        eTag: object.etag.replaceAll('"', ''),
        sequencer: nextSequencer(at),
      },
    },
  }
  return JSON.stringify({ Records: [record] })
}

/** Form encoding (a blank becomes +) that leaves the slashes, as S3 does it. */
function encodeEventKey(key: string): string {
  return key
    .split('/')
    .map((segment) =>
      encodeURIComponent(segment)
        .replace(/[!'()~]/g, hexOf)
        .replaceAll('%20', '+'),
    )
    .join('/')
}

const hexOf = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`

let lastSequencer = 0n

/** Hexadecimal; the event with the greater one happened later. Time first, so that it holds across restarts. */
function nextSequencer(at: number): string {
  const byTime = BigInt(at) << 12n
  lastSequencer = byTime > lastSequencer ? byTime : lastSequencer + 1n
  return lastSequencer.toString(16).toUpperCase().padStart(16, '0')
}
