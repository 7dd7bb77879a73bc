import { randomUUID } from 'node:crypto'
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
import { epochSeconds, isExpired, ttlOf, turnsTtl } from './job-expiry.ts'
import { cancellation, idempotencyItemKey, jobKey, numberIn, placeKey, readJob, textIn } from './job-items.ts'
import { createJobList } from './job-list.ts'
import { refusal } from './refusal.ts'

/** The port asks for at least 24 hours. */
const IDEMPOTENCY_S = 24 * 60 * 60

export interface JobStoreOptions {
  /** How long the record of a job is kept that has ended without a transcript; see job-expiry.ts. */
  readonly recordDays: number
  readonly clock?: Clock
}

/** Jobs in the table (docs/adr/0004-one-table.md). Every read is consistent, every write conditional. */
export function createJobStore(
  db: DynamoDBDocumentClient,
  table: string,
  { recordDays, clock = Date.now }: JobStoreOptions,
): JobStore {
  const TableName = table
  const now = () => epochSeconds(clock())
  const transact = (TransactItems: TransactWriteCommandInput['TransactItems']) =>
    untilNoConflict(() => db.send(new TransactWriteCommand({ TransactItems })))

  async function read(Key: { pk: string; sk: string }) {
    const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }))
    return isExpired(Item, clock()) ? undefined : Item
  }

  async function create(
    job: Job,
    idempotency?: { key: string; fingerprint: string },
  ): Promise<CreateOutcome> {
    const ttl = ttlOf(job, recordDays)
    const writes = [putJob(TableName, job, idempotency?.key, ttl), putPlace(TableName, job, ttl)]
    if (idempotency) writes.push(putKey(TableName, job, idempotency, now()))
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
    const ttl = ttlOf(next, recordDays)
    const job = updateJob(TableName, next, { wrote, ttl, now: now() })
    try {
      // Record and place go together, or one would be left without the other.
      if (turnsTtl(next)) await transact([{ Update: job }, { Update: updatePlace(TableName, next, ttl) }])
      else await untilNoConflict(() => db.send(new UpdateCommand(job)))
      return { outcome: 'replaced' }
    } catch (thrown) {
      const found = refusal(thrown)
      if (!found) throw thrown
      const body = textIn(found.item, 'body')
      if (textIn(found.item, 'wrote') === wrote) return { outcome: 'replaced' }
      const gone = body === undefined || isExpired({ ttl: numberIn(found.item, 'ttl') }, clock())
      return gone ? { outcome: 'gone' } : { outcome: 'lost', current: readJob(body) }
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
    list: createJobList(db, table, clock),
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
function putJob(
  TableName: string,
  job: Job,
  idempotencyKey: string | undefined,
  ttl: number | undefined,
): Write {
  const { tenant, jobId, version, status } = job
  const Item = { ...jobKey(tenant, jobId), version, status, body: JSON.stringify(job), idempotencyKey, ttl }
  return { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } }
}

const putPlace = (TableName: string, job: Job, ttl: number | undefined): Write => ({
  Put: { TableName, Item: { ...placeKey(job.tenant, job), ttl } },
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

type Update = NonNullable<Write['Update']>

/** A record that has expired is none, and no write brings it back. */
function updateJob(
  TableName: string,
  next: Job,
  { wrote, ttl, now }: { wrote: string; ttl: number | undefined; now: number },
): Update {
  return {
    TableName,
    Key: jobKey(next.tenant, next.jobId),
    UpdateExpression: `SET version = :version, #status = :status, body = :body, wrote = :wrote${
      ttl === undefined ? ' REMOVE #ttl' : ', #ttl = :ttl'
    }`,
    ConditionExpression: 'version = :before AND (attribute_not_exists(#ttl) OR #ttl > :now)',
    ExpressionAttributeNames: { '#status': 'status', '#ttl': 'ttl' },
    ExpressionAttributeValues: {
      ...{ ':version': next.version, ':before': next.version - 1, ':status': next.status, ':wrote': wrote },
      ...{ ':body': JSON.stringify(next), ':now': now },
      ...(ttl !== undefined && { ':ttl': ttl }),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  }
}

const updatePlace = (TableName: string, job: Job, ttl: number | undefined): Update => ({
  TableName,
  Key: placeKey(job.tenant, job),
  UpdateExpression: ttl === undefined ? 'REMOVE #ttl' : 'SET #ttl = :ttl',
  ExpressionAttributeNames: { '#ttl': 'ttl' },
  ...(ttl !== undefined && { ExpressionAttributeValues: { ':ttl': ttl } }),
})
