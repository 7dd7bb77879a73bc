import { Duration, Stack, type StackProps } from 'aws-cdk-lib'
import type { CfnKey } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'
import { DataKey } from '../constructs/data-key.ts'
import { JobTable } from '../constructs/job-table.ts'
import { MediaStore } from '../constructs/media-store.ts'
import { BY_GROUP, QueuePair } from '../constructs/queue-pair.ts'
import { RECEIVES, SHARD_RECEIVES, TIMEOUTS } from '../limits.ts'
import type { Stage } from '../stages.ts'

export interface DataStackProps extends StackProps {
  readonly stage: Stage
}

/**
 * What must outlive a deployment: bucket, table, key, and the queues, which hold accepted recordings on their way.
 * Other stacks import its names, so CloudFormation refuses to take away what is in use.
 */
export class DataStack extends Stack {
  readonly key: DataKey | undefined
  readonly jobs: JobTable
  readonly media: MediaStore
  readonly uploads: QueuePair
  readonly work: QueuePair
  /** Shards of jobs from `work`. */
  readonly shards: QueuePair
  /** Jobs for the GPU workers, where there are CPU workers too. */
  readonly longWork: QueuePair | undefined
  /** Shards of those. */
  readonly longShards: QueuePair | undefined
  /** Sessions that have something new, in groups of one session each; where the stage has a live lane. */
  readonly live: QueuePair | undefined
  /** Says that there are webhooks to be sent. */
  readonly deliveries: Queue
  /** Where alarms go. */
  readonly alarms: Topic

  constructor(scope: Construct, id: string, { stage, ...props }: DataStackProps) {
    super(scope, id, { ...props, description: 'Verbatim: recordings, transcripts, jobs and queues' })
    this.key = stage.encryption === 'kms' ? new DataKey(this, 'DataKey', stage) : undefined
    const keyResource = this.key?.key.node.defaultChild as CfnKey | undefined
    keyResource?.overrideLogicalId('DataKey')

    // Six times the function's timeout, as the Lambda guide advises for SQS: room for invocations that are throttled.
    const small = Duration.seconds(6 * TIMEOUTS.small.toSeconds())
    this.uploads = new QueuePair(this, 'Uploads', {
      visibility: small,
      receives: RECEIVES,
      deadVisibility: small,
    })
    // Not six times here: no invocation is throttled, as the source keeps to its maximum. It is no more than Lambda
    // demands, and holds until a worker has started, which then claims its message for a minute at a time.
    const visibility = TIMEOUTS.worker.plus(Duration.minutes(1))
    const work = { visibility, receives: RECEIVES, deadVisibility: small }
    const shards = { visibility, receives: SHARD_RECEIVES, deadVisibility: small }
    this.work = new QueuePair(this, 'Work', work)
    this.shards = new QueuePair(this, 'Shards', shards)
    const both = stage.compute === 'both'
    this.longWork = both ? new QueuePair(this, 'LongWork', work) : undefined
    this.longShards = both ? new QueuePair(this, 'LongShards', shards) : undefined
    // As long as a crashed worker's session has to wait, so no longer than Lambda demands.
    const live = {
      visibility: TIMEOUTS.live.plus(Duration.seconds(15)),
      ...{ receives: RECEIVES, deadVisibility: small, fifo: true },
    }
    this.live = stage.live.compute === 'off' ? undefined : new QueuePair(this, 'Live', live)
    this.deliveries = this.#wakeups()
    const { key } = this
    this.jobs = new JobTable(this, 'Jobs', { stage, key })
    this.media = new MediaStore(this, 'Media', { stage, key, arrivals: this.uploads.queue })
    this.alarms = new Topic(this, 'Alarms', { enforceSSL: true, ...(key && { masterKey: key.key }) })
    if (stage.alarmEmail !== undefined) this.alarms.addSubscription(new EmailSubscription(stage.alarmEmail))
  }

  /**
   * FIFO for its deduplication (a wake-up a second is enough, whoever sends it) and for its order: one function at a
   * time sends. A wake-up is worth nothing after some minutes: whoever looks every minute has done it by then.
   */
  #wakeups(): Queue {
    const queue = new Queue(this, 'Deliveries', {
      ...BY_GROUP,
      ...{ encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true },
      retentionPeriod: Duration.hours(1),
      visibilityTimeout: Duration.seconds(6 * TIMEOUTS.deliver.toSeconds()),
    })
    acknowledge(queue, {
      SQS3: 'A wake-up that dies is no loss: the schedule sends what is due a minute later.',
    })
    return queue
  }
}
