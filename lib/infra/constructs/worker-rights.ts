import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import type { DataStack } from '../stacks/data.ts'
import type { QueuePair } from './queue-pair.ts'

export interface WorkerAccess extends Pick<DataStack, 'jobs' | 'media'> {
  readonly takesFrom: QueuePair
  /** Where the job goes on when the worker must stop, or leaves it to others. */
  readonly sendsTo: QueuePair
}

/** What a worker may do, on whichever machine: nothing of tokens, and no object outside the three prefixes. */
export function grantWork(worker: IGrantable, { jobs, media, takesFrom, sendsTo }: WorkerAccess): void {
  jobs.grantJobs(worker)
  media.grantReadUploads(worker)
  media.grantWorkFiles(worker)
  media.grantWriteTranscripts(worker)
  // A job that is erased while it is worked on must leave nothing behind.
  media.grantErase(worker)
  takesFrom.queue.grantConsumeMessages(worker)
  sendsTo.queue.grantSendMessages(worker)
}
