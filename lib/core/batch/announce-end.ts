import { isTerminal } from '../job.ts'
import type { JobRef } from '../keys.ts'
import { announce } from '../live/1-chunk.ts'
import type { LivePorts } from '../live/ports.ts'
import type { JobStore } from '../ports.ts'
import { announceJob } from '../webhooks/announce.ts'
import type { AnnouncePorts } from '../webhooks/ports.ts'

/** Called when a job may have ended. May be called again: that is how nothing is lost when a worker is killed. */
export type Ended = (ref: JobRef) => Promise<void>

export interface AnnounceEndPorts extends AnnouncePorts {
  readonly jobs: Pick<JobStore, 'get'>
  /** Left out where there is no live lane. */
  readonly live?: LivePorts['live']
}

/** Tells whoever waits for a job: the session whose recording it is, and the URL that the client has named. */
export const announceEnd =
  (ports: AnnounceEndPorts): Ended =>
  async ({ tenant, jobId }) => {
    const job = await ports.jobs.get(tenant, jobId)
    if (!job || !isTerminal(job.status)) return
    const { sessionId, webhookUrl } = job.options
    const { live } = ports
    if (sessionId !== undefined && live) await announce({ live }, { tenant, sessionId }, `job-${jobId}`)
    if (webhookUrl !== undefined) await announceJob(ports)(job, webhookUrl)
  }
