import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs'
import type { Message, Queue } from '../../core/ports.ts'
import { awsName, withAwsErrors } from './errors.ts'

export interface QueueOptions {
  readonly url: string
  /** How long a message that is given back stays invisible; `extend(receipt, 0)`. Left out: not at all. */
  readonly giveBackMs?: number
}

// Quotas of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const MAX_VISIBILITY_S = 43_200
const MAX_DELAY_S = 900
const MAX_WAIT_S = 20
const MAX_BATCH = 10

/** A claim that was lost. A receipt that has lapsed is an invalid parameter to SQS. */
const LOST = new Set([
  'ReceiptHandleIsInvalid',
  'MessageNotInflight',
  'AWS.SimpleQueueService.MessageNotInflight',
  'InvalidParameterValue',
  'InvalidParameterValueException',
])

/** Whole seconds; upwards, so that nothing is visible earlier than it was asked for. */
const seconds = (ms: number, most: number): number => Math.min(most, Math.max(0, Math.ceil(ms / 1000)))

/** One SQS queue. A claim ends twelve hours after the message was received, however often it is extended. */
export function createQueue(sqs: SQSClient, { url, giveBackMs = 0 }: QueueOptions): Queue {
  const QueueUrl = url

  async function poll(max: number, visibilityMs: number, waitMs: number, signal?: AbortSignal) {
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: Math.min(max, MAX_BATCH),
      VisibilityTimeout: seconds(visibilityMs, MAX_VISIBILITY_S),
      WaitTimeSeconds: seconds(waitMs, MAX_WAIT_S),
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    })
    const { Messages = [] } = await sqs.send(command, signal && { abortSignal: signal })
    return Messages.map(toMessage)
  }

  return withAwsErrors<Queue>({
    async send(body, { delayMs = 0 } = {}) {
      const DelaySeconds = seconds(delayMs, MAX_DELAY_S)
      // A delay of 0 would also override the queue's own.
      await sqs.send(
        new SendMessageCommand({ QueueUrl, MessageBody: body, ...(DelaySeconds > 0 && { DelaySeconds }) }),
      )
    },

    async receive({ max, visibilityMs, waitMs, signal }) {
      const until = performance.now() + waitMs
      for (;;) {
        if (signal?.aborted) return []
        try {
          const left = Math.max(0, until - performance.now())
          const messages = await poll(max, visibilityMs, left, signal)
          if (messages.length > 0 || performance.now() >= until) return messages
        } catch (thrown) {
          // What SQS had on the way for us becomes visible again when the claim lapses.
          if (signal?.aborted) return []
          throw thrown
        }
      }
    },

    extend: (receipt, visibilityMs) => {
      const VisibilityTimeout = seconds(visibilityMs || giveBackMs, MAX_VISIBILITY_S)
      const command = { QueueUrl, ReceiptHandle: receipt, VisibilityTimeout }
      return held(sqs.send(new ChangeMessageVisibilityCommand(command)))
    },

    remove: (receipt) => held(sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receipt }))),
  })
}

async function held(request: Promise<unknown>): Promise<boolean> {
  try {
    await request
    return true
  } catch (thrown) {
    if (LOST.has(awsName(thrown))) return false
    throw thrown
  }
}

function toMessage({ MessageId, ReceiptHandle, Body = '', Attributes = {} }: SqsMessage): Message {
  return {
    messageId: MessageId!,
    receipt: ReceiptHandle!,
    body: Body,
    receiveCount: Number(Attributes.ApproximateReceiveCount ?? 1),
    sentAt: Number(Attributes.SentTimestamp ?? 0),
  }
}
