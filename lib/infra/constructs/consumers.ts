import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Construct } from 'constructs'
import type { FunctionVariables } from '../../adapters/aws/environment.ts'
import { TIMEOUTS } from '../limits.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { SmallFunction } from './small-function.ts'
import { grantEnded } from './worker-rights.ts'

export interface ConsumersProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly environment: FunctionVariables
}

/** What happens when a recording has arrived, and when nobody could bring one further. */
export class Consumers extends Construct {
  readonly onUpload: SmallFunction
  readonly deadLetter: SmallFunction

  constructor(scope: Construct, id: string, { stage, data, environment }: ConsumersProps) {
    super(scope, id)
    const { jobs, media, uploads, work, longWork } = data
    const workQueues = [work, ...(longWork ? [longWork] : [])]
    const shardQueues = [data.shards, ...(data.longShards ? [data.longShards] : [])]
    const props = { stage, environment, timeout: TIMEOUTS.small }

    this.onUpload = new SmallFunction(this, 'OnUpload', {
      ...{ ...props, entry: 'on-upload', description: 'A recording has arrived: its job is queued' },
    })
    jobs.grantJobs(this.onUpload.fn)
    media.grantReadUploads(this.onUpload.fn)
    media.grantDiscardUploads(this.onUpload.fn)
    for (const { queue } of workQueues) queue.grantSendMessages(this.onUpload.fn)
    grantEnded(this.onUpload.fn, data)
    this.onUpload.fn.addEventSource(new SqsEventSource(uploads.queue, { ...EACH_ALONE, maxConcurrency: 20 }))

    this.deadLetter = new SmallFunction(this, 'DeadLetter', {
      ...{ ...props, entry: 'dead-letter', description: 'Nobody could bring this job further: it fails' },
    })
    jobs.grantJobs(this.deadLetter.fn)
    media.grantReadWorkFiles(this.deadLetter.fn)
    media.grantErase(this.deadLetter.fn)
    // Where a recording may have a gap, a worker joins the rest of it.
    work.queue.grantSendMessages(this.deadLetter.fn)
    grantEnded(this.deadLetter.fn, data)
    for (const { deadLetters } of [uploads, ...workQueues, ...shardQueues]) {
      this.deadLetter.fn.addEventSource(new SqsEventSource(deadLetters, { ...EACH_ALONE, maxConcurrency: 2 }))
    }
  }
}

const EACH_ALONE = { batchSize: 10, reportBatchItemFailures: true }
