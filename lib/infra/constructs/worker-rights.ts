import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import type { DataStack } from '../stacks/data.ts'

/** What a worker may do, on whichever machine: nothing of tokens, and no object outside the three prefixes. */
export function grantWork(worker: IGrantable, { jobs, media, work }: DataStack): void {
  jobs.grantJobs(worker)
  media.grantReadUploads(worker)
  media.grantWorkFiles(worker)
  media.grantWriteTranscripts(worker)
  // A job that is erased while it is worked on must leave nothing behind.
  media.grantErase(worker)
  work.queue.grantConsumeMessages(worker)
  // Out of time, it sends the rest of the job to the next worker.
  work.queue.grantSendMessages(worker)
}
