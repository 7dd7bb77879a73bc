import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { sqsClient } from '../../lib/adapters/aws/clients.ts'
import { createQueue, sendOnOptions } from '../../lib/adapters/aws/queue.ts'
import { temporaryQueue } from './support.ts'

const NOW = { max: 1, visibilityMs: 60_000, waitMs: 1500 }

describe('a FIFO queue of AWS', () => {
  let fifo: Awaited<ReturnType<typeof temporaryQueue>>
  let standard: Awaited<ReturnType<typeof temporaryQueue>>
  beforeEach(async () => {
    fifo = await temporaryQueue(3, { fifo: true })
    standard = await temporaryQueue(3)
  })
  afterEach(async () => {
    await fifo.dispose()
    await standard.dispose()
  })

  /** As a Lambda's event carries them. */
  async function delayedRecords() {
    const { Messages = [] } = await sqsClient().send(
      new ReceiveMessageCommand({
        QueueUrl: standard.url,
        MessageAttributeNames: ['All'],
        WaitTimeSeconds: 10,
      }),
    )
    return Messages.map(({ MessageId, Body, MessageAttributes = {} }) => ({
      messageId: MessageId!,
      body: Body!,
      messageAttributes: Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, { StringValue }]) => [
          name,
          { stringValue: StringValue },
        ]),
      ),
    }))
  }

  it('sends what is delayed through a standard queue, from which it comes into its group once', async () => {
    const queue = createQueue(sqsClient(), { url: fifo.url, delayed: standard.url })
    await queue.send('now', { group: 'g' })
    await queue.send('later', { group: 'g', delayMs: 1000 })
    const [now] = await queue.receive(NOW)
    expect(now).toMatchObject({ body: 'now' })
    const [record] = await delayedRecords()
    expect(record!.body).toBe('later')
    // A standard queue may deliver twice.
    for (const _ of [1, 2]) await queue.send(record!.body, sendOnOptions(record!))
    expect(await queue.receive({ ...NOW, waitMs: 0 })).toEqual([])
    await queue.remove(now!.receipt)
    const [later] = await queue.receive(NOW)
    expect(later).toMatchObject({ body: 'later', group: now!.group })
    await queue.remove(later!.receipt)
    expect(await queue.receive(NOW)).toEqual([])
  })

  it('keeps the id of a delayed message', async () => {
    const queue = createQueue(sqsClient(), { url: fifo.url, delayed: standard.url })
    await queue.send('x', { delayMs: 1000, dedupe: 'id' })
    const [record] = await delayedRecords()
    expect(sendOnOptions(record!)).toEqual({ dedupe: 'id' })
  })

  it('refuses a delay that nobody would keep, and groups where there are none', async () => {
    await expect(fifo.queue.send('x', { group: 'g', delayMs: 1000 })).rejects.toMatchObject({
      code: 'internal',
    })
    await expect(standard.queue.send('x', { group: 'g' })).rejects.toMatchObject({ code: 'internal' })
    await expect(standard.queue.send('x', { dedupe: 'id' })).rejects.toMatchObject({ code: 'internal' })
    expect(await standard.queue.receive({ ...NOW, waitMs: 0 })).toEqual([])
  })
})
