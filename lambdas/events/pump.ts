import { setTimeout as sleep } from 'node:timers/promises'
import type { SQSEvent } from 'aws-lambda'
import type { Log, Message, Queue } from '../../lib/core/ports.ts'
import type { SqsHandler } from './sqs.ts'

export interface PumpOptions {
  readonly name: string
  readonly queue: Queue
  readonly handler: SqsHandler
  /** How many messages are handled side by side. */
  readonly lanes: number
  readonly visibilityMs: number
  readonly log: Log
  /** Ends the pump: no message is taken any more. */
  readonly stop: AbortSignal
}

const WAIT_MS = 20_000
const PAUSE_AFTER_ERROR_MS = 1000

/** What Lambda's SQS event source does in AWS: takes messages, calls the handler, removes what it has done. */
export async function runPump(options: PumpOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.lanes }, () => runLane(options)))
}

async function runLane(options: PumpOptions): Promise<void> {
  const { queue, visibilityMs, stop, log, name } = options
  while (!stop.aborted) {
    try {
      const messages = await queue.receive({ max: 1, visibilityMs, waitMs: WAIT_MS, signal: stop })
      for (const message of messages) await handle(message, options)
    } catch (error) {
      // The queue's own trouble (a full disk, say): what was claimed comes back by itself.
      log.error('queue failed', { queue: name, stack: error instanceof Error ? (error.stack ?? '') : '' })
      await sleep(PAUSE_AFTER_ERROR_MS)
    }
  }
}

async function handle(
  message: Message,
  { name, queue, handler, visibilityMs, stop }: PumpOptions,
): Promise<void> {
  const heartbeat = setInterval(
    () => void queue.extend(message.receipt, visibilityMs).catch(() => {}),
    visibilityMs / 3,
  )
  try {
    const { batchItemFailures } = await handler(asEvent(name, message))
    if (batchItemFailures.length === 0) await queue.remove(message.receipt)
    // A claim that is left behind at the end of the service is released at its next start, and not counted.
    else if (!stop.aborted) await queue.extend(message.receipt, 0)
  } finally {
    clearInterval(heartbeat)
  }
}

function asEvent(name: string, { messageId, receipt, body, receiveCount, sentAt }: Message): SQSEvent {
  const attributes = {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: String(sentAt),
    SenderId: 'local',
    ApproximateFirstReceiveTimestamp: String(sentAt),
  }
  const record = {
    ...{ messageId, receiptHandle: receipt, body, attributes, messageAttributes: {}, md5OfBody: '' },
    ...{
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:local:000000000000:${name}`,
      awsRegion: 'local',
    },
  }
  return { Records: [record] }
}
