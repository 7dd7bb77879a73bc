import { Duration } from 'aws-cdk-lib'
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'

export interface QueuePairProps {
  /** How long a message is hidden while somebody works on it. */
  readonly visibility: Duration
  /** Deliveries before a message counts as dead. */
  readonly receives: number
  /** The same for the dead letters, which a function consumes too. */
  readonly deadVisibility: Duration
  /** Messages belong to groups, and those of one group are handed out one after the other. */
  readonly fifo?: boolean
}

/**
 * A queue and its dead letters. Messages name jobs and carry no speech, so they lie under SQS's own keys: a customer
 * key would cost a KMS request for every poll and hide nothing more.
 */
export class QueuePair extends Construct {
  readonly queue: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, props: QueuePairProps) {
    super(scope, id)
    const { visibility, receives, deadVisibility, fifo = false } = props
    const common = {
      ...(fifo && BY_GROUP),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // As long as SQS can: a fault over a long holiday must lose nothing.
      retentionPeriod: Duration.days(14),
    }
    this.deadLetters = new Queue(this, 'DeadLetters', { ...common, visibilityTimeout: deadVisibility })
    this.queue = new Queue(this, 'Queue', {
      ...common,
      visibilityTimeout: visibility,
      receiveMessageWaitTime: Duration.seconds(20),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: receives },
    })
  }
}

/** Each group has its own limit, and there is none for all together ("high throughput" in SQS's words). */
export const BY_GROUP = {
  fifo: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
}
