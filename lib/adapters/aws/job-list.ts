import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import type { Job } from '../../core/job.ts'
import type { Clock, JobStore, Page } from '../../core/ports.ts'
import { decodeCursor, encodeCursor } from '../job-cursor.ts'
import { isExpired } from './job-expiry.ts'
import { jobKey, type Place, placeOf, placeText, readJob } from './job-items.ts'

/** The most that one BatchGetItem may ask for. */
const MOST_KEYS = 100

/** A page of jobs in a rare state ends early after so many records, so that it never outlasts a request. */
const MOST_READ = 1000

/** Lists a tenant's jobs: their places from the newest on, then the records. */
export function createJobList(db: DynamoDBDocumentClient, table: string, clock: Clock): JobStore['list'] {
  async function places(tenant: string, after: Place | undefined, limit: number): Promise<Place[]> {
    const { Items = [] } = await db.send(
      new QueryCommand({
        TableName: table,
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: limit,
        KeyConditionExpression: after ? 'pk = :pk AND sk < :after' : 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `LIST#${tenant}`, ...(after && { ':after': placeText(after) }) },
      }),
    )
    return Items.map(({ sk }) => placeOf(String(sk)))
  }

  /** The records that are still there. Replies have a size limit, so some keys may have to be asked for again. */
  async function records(tenant: string, wanted: readonly Place[]): Promise<Map<string, Job>> {
    const jobs = new Map<string, Job>()
    let Keys: readonly Record<string, unknown>[] = wanted.map(({ jobId }) => jobKey(tenant, jobId))
    while (Keys.length > 0) {
      const request: BatchGetCommandInput = {
        RequestItems: { [table]: { Keys: [...Keys], ConsistentRead: true } },
      }
      const reply: BatchGetCommandOutput = await db.send(new BatchGetCommand(request))
      for (const item of reply.Responses?.[table] ?? []) {
        if (isExpired(item, clock())) continue
        const job = readJob(item.body)
        jobs.set(job.jobId, job)
      }
      Keys = reply.UnprocessedKeys?.[table]?.Keys ?? []
    }
    return jobs
  }

  return async (tenant, { status, cursor, limit }): Promise<Page> => {
    let last = cursor === undefined ? undefined : decodeCursor(tenant, cursor)
    const found: Job[] = []
    // One more than asked for tells whether there is another page.
    const step = Math.min(MOST_KEYS, status ? MOST_KEYS : limit + 1)
    for (let read = 0; read < MOST_READ || found.length === 0; read += step) {
      const next = await places(tenant, last, step)
      const jobs = await records(tenant, next)
      for (const { jobId } of next) {
        const job = jobs.get(jobId)
        if (job && (!status || job.status === status)) found.push(job)
      }
      if (found.length > limit) {
        const page = found.slice(0, limit)
        return { jobs: page, cursor: encodeCursor(tenant, page.at(-1)!) }
      }
      if (next.length < step) return { jobs: found }
      last = next.at(-1)!
    }
    return { jobs: found, cursor: encodeCursor(tenant, last!) }
  }
}
