import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, DeleteTableCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  PutBucketNotificationConfigurationCommand,
} from '@aws-sdk/client-s3'
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { documentClient, s3Client, sqsClient } from '../../lib/adapters/aws/clients.ts'
import { createObjectStore } from '../../lib/adapters/aws/object-store.ts'
import { createQueue, type QueueOptions } from '../../lib/adapters/aws/queue.ts'
import type { Message, ObjectStore, Queue } from '../../lib/core/ports.ts'

// Resources of AWS (or of what stands at AWS_ENDPOINT_URL) that live as long as a test file.

const freshName = (kind: string) => `verbatim-test-${kind}-${randomUUID()}`

export async function temporaryTable() {
  const table = freshName('table')
  const db = documentClient()
  await db.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    }),
  )
  await waitUntilTableExists({ client: db, maxWaitTime: 60, minDelay: 1 }, { TableName: table })
  const dispose = async () => void (await db.send(new DeleteTableCommand({ TableName: table })))
  return { db, table, dispose }
}

/** A queue and its dead letters, to which a message goes after `maxReceives` deliveries; with `fifo` both know groups. */
export async function temporaryQueue(
  maxReceives: number,
  { fifo = false, ...options }: Omit<QueueOptions, 'url'> & { fifo?: boolean } = {},
) {
  const sqs = sqsClient()
  const make = async (more: Record<string, string> = {}) => {
    const QueueName = `${freshName('queue')}${fifo ? '.fifo' : ''}`
    const Attributes = { ...(fifo && { FifoQueue: 'true' }), ...more }
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
    const { Attributes: made } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: QueueUrl!, AttributeNames: ['QueueArn'] }),
    )
    return { url: QueueUrl!, arn: made!.QueueArn! }
  }
  const dead = await make()
  const redrive = { deadLetterTargetArn: dead.arn, maxReceiveCount: String(maxReceives) }
  const main = await make({ RedrivePolicy: JSON.stringify(redrive) })
  return {
    ...{ url: main.url, arn: main.arn, deadUrl: dead.url },
    queue: createQueue(sqs, { ...options, url: main.url }),
    deadLetters: createQueue(sqs, { url: dead.url }),
    dispose: async () => {
      for (const { url } of [main, dead]) await sqs.send(new DeleteQueueCommand({ QueueUrl: url }))
    },
  }
}

export const EVENT_PREFIX = 'uploads/'

/** A bucket that announces uploads to `queueArn`. */
export async function temporaryBucket(queueArn: string) {
  const s3 = s3Client()
  const bucket = freshName('bucket')
  const scratchDir = await mkdtemp(join(tmpdir(), 'verbatim-aws-'))
  await s3.send(new CreateBucketCommand({ Bucket: bucket }))
  const Filter = { Key: { FilterRules: [{ Name: 'prefix' as const, Value: EVENT_PREFIX }] } }
  const notification = { QueueArn: queueArn, Events: ['s3:ObjectCreated:*' as const], Filter }
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: { QueueConfigurations: [notification] },
    }),
  )
  const objects = createObjectStore(s3, { bucket, scratchDir })
  const takesUnsigned = await probeUnsigned(objects)
  const dispose = async () => {
    await objects.remove(await objects.list(''))
    await s3.send(new DeleteBucketCommand({ Bucket: bucket }))
    await rm(scratchDir, { recursive: true, force: true })
  }
  return { ...{ bucket, objects, scratchDir, takesUnsigned }, dispose }
}

/** Whether the endpoint takes a request without a signature. AWS does not; emulators may. */
async function probeUnsigned(objects: ObjectStore): Promise<boolean> {
  const key = 'probe'
  const request = { key, contentType: 'text/plain', sizeBytes: 1, expiresAt: Date.now() + 60_000 }
  const { url } = await objects.presignPut(request)
  const { ok } = await fetch(url.split('?')[0]!, { method: 'PUT', body: 'x' })
  await objects.remove([key])
  if (ok) tell('takes unsigned requests, so that they are refused is not tested')
  return ok
}

/** A queue of S3 events whose keys are encoded as S3 encodes them, where the endpoint does not. */
export function withEncodedKeys(events: Queue): Queue {
  const encoded = (message: Message): Message => {
    const body = JSON.parse(message.body)
    for (const { s3 } of body.Records ?? []) {
      // S3 leaves no other character as it is.
      if (/^[\w.~*!'()/%+-]*$/.test(s3.object.key)) continue
      tell('does not encode keys in events')
      s3.object.key = encodeURIComponent(s3.object.key).replaceAll('%20', '+').replaceAll('%2F', '/')
    }
    return { ...message, body: JSON.stringify(body) }
  }
  return { ...events, receive: async (options) => (await events.receive(options)).map(encoded) }
}

const tell = (what: string): void => void process.stderr.write(`The endpoint is not quite S3: it ${what}.\n`)
