import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import type { DataStack } from '../stacks/data.ts'
import type { QueuePair } from './queue-pair.ts'

type Announce = Pick<DataStack, 'jobs' | 'live' | 'deliveries'>

export interface WorkerAccess extends Pick<DataStack, 'media'>, Announce {
  readonly takesFrom: QueuePair
  /** Where the job goes on when the worker must stop, or leaves it to others. */
  readonly sendsTo: QueuePair
  /** Which the workers of one kind send each other. */
  readonly shards: QueuePair
}

/** What a worker may do, on whichever machine: nothing of tokens, and no object outside the three prefixes. */
export function grantWork(worker: IGrantable, access: WorkerAccess): void {
  const { jobs, media, takesFrom, sendsTo, shards } = access
  jobs.grantJobs(worker)
  // Whose names go into the transcript of a session's recording.
  jobs.grantReadSessions(worker)
  media.grantReadUploads(worker)
  media.grantWorkFiles(worker)
  media.grantWriteTranscripts(worker)
  // A job that is erased while it is worked on must leave nothing behind.
  media.grantErase(worker)
  for (const { queue } of [takesFrom, shards]) queue.grantConsumeMessages(worker)
  for (const { queue } of [sendsTo, shards]) queue.grantSendMessages(worker)
  grantEnded(worker, access)
}

/** Tells who waits for a job that it has ended: its session, or the URL that its client has named. */
export function grantEnded(grantee: IGrantable, { jobs, live, deliveries }: Announce): void {
  jobs.grantAnnounce(grantee)
  deliveries.grantSendMessages(grantee)
  live?.queue.grantSendMessages(grantee)
}

export type LiveAccess = Pick<DataStack, 'jobs' | 'media' | 'deliveries'> & { readonly live: QueuePair }

/** What a worker of the live lane may do. At the end of a session it uploads the recording as a client would. */
export function grantLiveWork(worker: IGrantable, { jobs, media, live, deliveries }: LiveAccess): void {
  jobs.grantSessions(worker)
  jobs.grantJobs(worker)
  jobs.grantAnnounce(worker)
  media.grantSound(worker)
  media.grantUpload(worker)
  media.grantReadTranscripts(worker)
  live.queue.grantConsumeMessages(worker)
  deliveries.grantSendMessages(worker)
}
