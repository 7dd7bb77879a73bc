import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Job } from '../../core/job.ts'
import type { Clock, JobStore, Page } from '../../core/ports.ts'
import { decodeCursor, encodeCursor } from '../job-cursor.ts'
import { jobKey, listOf, type Place, readJob } from './job-items.ts'
import { bodiesAt, MOST_KEYS, placesOf } from './places.ts'

/** A page of jobs in a rare state ends early after so many records, so that it never outlasts a request. */
const MOST_READ = 1000

/** Lists a tenant's jobs: their places from the newest on, then the records. */
export function createJobList(db: DynamoDBDocumentClient, table: string, clock: Clock): JobStore['list'] {
  async function records(tenant: string, wanted: readonly Place[]): Promise<Map<string, Job>> {
    const keys = wanted.map(({ jobId }) => jobKey(tenant, jobId))
    const jobs = (await bodiesAt(db, table, keys, clock())).map(readJob)
    return new Map(jobs.map((job) => [job.jobId, job]))
  }

  return async (tenant, { status, cursor, limit }): Promise<Page> => {
    let last = cursor === undefined ? undefined : decodeCursor(tenant, cursor)
    const found: Job[] = []
    // One more than asked for tells whether there is another page.
    const step = Math.min(MOST_KEYS, status ? MOST_KEYS : limit + 1)
    for (let read = 0; read < MOST_READ || found.length === 0; read += step) {
      const next = await placesOf(db, table, { pk: listOf(tenant), after: last, limit: step })
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
