import { randomUUID } from 'node:crypto'
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import type { Job } from '../../core/job.ts'
import type { Clock, CreateOutcome, JobStore, ReplaceOutcome } from '../../core/ports.ts'
import { untilNoConflict } from './conflicts.ts'
import { withAwsErrors } from './errors.ts'
import { cancellation, idempotencyItemKey, jobKey, placeKey, readJob, textIn } from './job-items.ts'
import { createJobList } from './job-list.ts'

/** The port asks for at least 24 hours. */
const IDEMPOTENCY_S = 24 * 60 * 60

/** Jobs in the table (docs/adr/0004-one-table.md). Every read is consistent, every write conditional. */
export function createJobStore(db: DynamoDBDocumentClient, table: string, clock: Clock = Date.now): JobStore {
  const TableName = table
  const transact = (TransactItems: TransactWriteCommandInput['TransactItems']) =>
    untilNoConflict(() => db.send(new TransactWriteCommand({ TransactItems })))

  async function read(Key: { pk: string; sk: string }) {
    return (await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item
  }

  async function create(
    job: Job,
    idempotency?: { key: string; fingerprint: string },
  ): Promise<CreateOutcome> {
    const writes = [putJob(TableName, job, idempotency?.key), putPlace(TableName, job)]
    if (idempotency) writes.push(putKey(TableName, job, idempotency, Math.floor(clock() / 1000)))
    try {
      await transact(writes)
      return { outcome: 'created' }
    } catch (thrown) {
      const earlier = cancellation(thrown)?.[2]?.item
      const jobId = textIn(earlier, 'jobId')
      const fingerprint = textIn(earlier, 'fingerprint')
      if (jobId === undefined || fingerprint === undefined) throw thrown
      return { outcome: 'repeated', jobId, fingerprint }
    }
  }

  async function replace(next: Job): Promise<ReplaceOutcome> {
    // Tells our own write from another's: a reply may be lost, and the SDK then sends the same write again.
    const wrote = randomUUID()
    try {
      await untilNoConflict(() => db.send(new UpdateCommand(update(TableName, next, wrote))))
      return { outcome: 'replaced' }
    } catch (thrown) {
      if (!(thrown instanceof ConditionalCheckFailedException)) throw thrown
      const body = textIn(thrown.Item, 'body')
      if (body === undefined) return { outcome: 'gone' }
      if (textIn(thrown.Item, 'wrote') === wrote) return { outcome: 'replaced' }
      return { outcome: 'lost', current: readJob(body) }
    }
  }

  /** The idempotency key may belong to a later job by now; then it stays. */
  async function remove(tenant: string, jobId: string): Promise<boolean> {
    const Key = jobKey(tenant, jobId)
    const item = await read(Key)
    if (!item) return false
    const writes: TransactWriteCommandInput['TransactItems'] = [
      { Delete: { TableName, Key, ConditionExpression: 'attribute_exists(pk)' } },
      { Delete: { TableName, Key: placeKey(tenant, readJob(item.body)) } },
    ]
    const idempotency = item.idempotencyKey && idempotencyItemKey(tenant, String(item.idempotencyKey))
    if (idempotency && (await read(idempotency))?.jobId === jobId) {
      writes.push({ Delete: { TableName, Key: idempotency, ...OF_THIS_JOB(jobId) } })
    }
    try {
      await transact(writes)
      return true
    } catch (thrown) {
      const failed = cancellation(thrown)?.map(({ code }) => code === 'ConditionalCheckFailed')
      if (failed?.[0]) return false
      // The key lapsed and was used again between our read and our write.
      if (failed?.[2]) return remove(tenant, jobId)
      throw thrown
    }
  }

  return withAwsErrors<JobStore>({
    ...{ create, replace, remove },
    list: createJobList(db, table),
    async get(tenant, jobId) {
      const item = await read(jobKey(tenant, jobId))
      return item && readJob(item.body)
    },
  })
}

type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number]

const OF_THIS_JOB = (jobId: string) => ({
  ConditionExpression: 'attribute_not_exists(pk) OR jobId = :jobId',
  ExpressionAttributeValues: { ':jobId': jobId },
})

/** `version` is what writes are conditional on; `status` is there for people who look at the table. */
function putJob(TableName: string, job: Job, idempotencyKey: string | undefined): Write {
  const { tenant, jobId, version, status } = job
  const Item = { ...jobKey(tenant, jobId), version, status, body: JSON.stringify(job), idempotencyKey }
  return { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } }
}

const putPlace = (TableName: string, job: Job): Write => ({
  Put: { TableName, Item: placeKey(job.tenant, job) },
})

/** DynamoDB deletes what has expired within days, so a key that has lapsed counts as one that is not there. */
function putKey(
  TableName: string,
  { tenant, jobId }: Job,
  { key, fingerprint }: { key: string; fingerprint: string },
  now: number,
): Write {
  return {
    Put: {
      TableName,
      Item: { ...idempotencyItemKey(tenant, key), jobId, fingerprint, ttl: now + IDEMPOTENCY_S },
      ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':now': now },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  }
}

const update = (TableName: string, next: Job, wrote: string) => ({
  TableName,
  Key: jobKey(next.tenant, next.jobId),
  UpdateExpression: 'SET version = :version, #status = :status, body = :body, wrote = :wrote',
  ConditionExpression: 'version = :before',
  ExpressionAttributeNames: { '#status': 'status' },
  ExpressionAttributeValues: {
    ...{ ':version': next.version, ':before': next.version - 1, ':status': next.status, ':wrote': wrote },
    ':body': JSON.stringify(next),
  },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
})
