import { createHash, randomUUID } from 'node:crypto'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs'
import { VerbatimError } from '../../core/errors.ts'
import type { Message, Queue, SendOptions } from '../../core/ports.ts'
import { awsName, withAwsErrors } from './errors.ts'

export interface QueueOptions {
  readonly url: string
  /** Only a FIFO queue knows `group` and `dedupe`. Left out: it is one if its URL ends in `.fifo`, as AWS's do. */
  readonly fifo?: boolean
  /** Only for a FIFO queue: the standard queue through which messages with a delay go. Left out: there are none. */
  readonly delayed?: string
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

/**
 * One SQS queue. A claim ends twelve hours after the message was received, however often it is extended; a delay is at
 * most fifteen minutes.
 *
 * A FIFO queue takes no delay for a single message
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html), so a delayed
 * message goes to the standard queue `delayed`, group and id as attributes; whoever consumes that queue sends it on with
 * `sendOnOptions`. Without `delayed` a delay is refused, as are `group` and `dedupe` on a standard queue: `internal`,
 * since it is a fault of ours. A message without a group gets a group of its own.
 */
export function createQueue(sqs: SQSClient, options: QueueOptions): Queue {
  const { url: QueueUrl, delayed, giveBackMs = 0 } = options
  const isFifo = options.fifo ?? QueueUrl.endsWith('.fifo')

  function toSend(MessageBody: string, options: SendOptions): SendMessageCommandInput {
    const { delayMs = 0, group, dedupe } = options
    const DelaySeconds = seconds(delayMs, MAX_DELAY_S)
    if (isFifo && DelaySeconds === 0) {
      // The SDK repeats a send that got no answer; by this id SQS knows it again.
      const id = fifoId(dedupe ?? randomUUID())
      return { QueueUrl, MessageBody, MessageGroupId: fifoId(group ?? id), MessageDeduplicationId: id }
    }
    if (isFifo && delayed === undefined) throw misuse('delays')
    if (!isFifo && (group !== undefined || dedupe !== undefined)) throw misuse('groups')
    // A delay of 0 would also override the queue's own.
    const delay = DelaySeconds > 0 && { DelaySeconds }
    if (!isFifo) return { QueueUrl, MessageBody, ...delay }
    return { QueueUrl: delayed, MessageBody, ...delay, MessageAttributes: attributesOf(options) }
  }

  async function poll(max: number, visibilityMs: number, waitMs: number, signal?: AbortSignal) {
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: Math.min(max, MAX_BATCH),
      VisibilityTimeout: seconds(visibilityMs, MAX_VISIBILITY_S),
      WaitTimeSeconds: seconds(waitMs, MAX_WAIT_S),
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
    })
    const { Messages = [] } = await sqs.send(command, signal && { abortSignal: signal })
    return Messages.map(toMessage)
  }

  return withAwsErrors<Queue>({
    async send(body, options = {}) {
      await sqs.send(new SendMessageCommand(toSend(body, options)))
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

/** SQS takes 128 printable characters of ASCII for groups and ids, without blanks; any other text stands as its hash. */
const fifoId = (text: string): string =>
  /^[!-~]{1,128}$/.test(text) ? text : createHash('sha256').update(text).digest('hex')

const misuse = (what: string) => new VerbatimError('internal', `This queue knows no ${what}.`)

const attributesOf = ({ group, dedupe }: SendOptions) =>
  Object.fromEntries(
    Object.entries({ group, dedupe })
      .filter(([, value]) => value !== undefined)
      .map(([name, StringValue]) => [name, { DataType: 'String', StringValue: StringValue! }]),
  )

/** The part of a record of a Lambda's event that tells where a delayed message goes on. */
export interface DelayedRecord {
  readonly messageId: string
  readonly messageAttributes: Readonly<
    Record<string, { readonly stringValue?: string | undefined } | undefined>
  >
}

/**
 * What a message that was delayed is sent on with, to the FIFO queue it was meant for. It has an id in any case, so that
 * one which is delivered twice, as standard queues may, is sent on once.
 */
export function sendOnOptions({ messageId, messageAttributes }: DelayedRecord): SendOptions {
  const group = messageAttributes.group?.stringValue
  const dedupe = messageAttributes.dedupe?.stringValue ?? messageId
  return { dedupe, ...(group !== undefined && { group }) }
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
    ...(Attributes.MessageGroupId !== undefined && { group: Attributes.MessageGroupId }),
  }
}
