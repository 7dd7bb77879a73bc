import { z } from 'zod'
import type { Queue } from '../../lib/core/ports.ts'

/** The fields of S3's notification that Verbatim reads. */
const Notification = z.object({
  Records: z.array(
    z.object({
      eventSource: z.literal('aws:s3'),
      eventTime: z.iso.datetime(),
      eventName: z.string(),
      s3: z.object({
        bucket: z.object({ name: z.string() }),
        object: z.object({ key: z.string(), size: z.int(), eTag: z.string(), sequencer: z.string() }),
      }),
    }),
  ),
})

/** Waits for the event of an object; those of others are taken off the queue. */
export async function nextEvent(events: Queue, key: string, patienceMs = 20_000) {
  const until = Date.now() + patienceMs
  while (Date.now() < until) {
    const messages = await events.receive({ max: 10, visibilityMs: 30_000, waitMs: 1000 })
    for (const { receipt, body } of messages) {
      await events.remove(receipt)
      // S3 tests a new notification with a body of another form.
      const records = Notification.safeParse(JSON.parse(body)).data?.Records ?? []
      const found = records.map(summary).find((record) => record.key === key)
      if (found) return found
    }
  }
  return undefined
}

type EventRecord = z.infer<typeof Notification>['Records'][number]

function summary({ eventName, s3: { object } }: EventRecord) {
  const key = decodeURIComponent(object.key.replaceAll('+', ' '))
  return { eventName, key, size: object.size, eTag: object.eTag }
}
