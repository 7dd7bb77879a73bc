import * as z from 'zod'
import { JobId } from '../job.ts'
import { SessionId } from '../session.ts'
import { FAILURES, GIVEN_UP, Subject, WebhookId } from './delivery.ts'

// The REST contract of the delivery log: what went to whom, and how that went. What was said is not in it.

const Iso = z.iso.datetime()

export const DELIVERY_STATUSES = ['PENDING', 'DELIVERED', 'FAILED'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

export const DeliveryView = z
  .object({
    deliveryId: WebhookId.meta({ description: 'Sent as `webhook-id`, with every attempt.' }),
    status: z.enum(DELIVERY_STATUSES),
    type: z.enum(Subject.options.map(({ shape }) => shape.type.value)),
    sessionId: SessionId.optional(),
    segmentId: z.int().optional(),
    jobId: JobId.optional(),
    url: z.string().optional().meta({ description: "Left out: the operator's endpoint for all sessions." }),
    createdAt: Iso,
    updatedAt: Iso,
    attempts: z.int(),
    nextAttemptAt: Iso.optional().meta({ description: 'Not before this; only while PENDING.' }),
    lastStatus: z
      .int()
      .optional()
      .meta({ description: "The receiver's HTTP status, if it answered the last attempt." }),
    lastFailure: z.enum(FAILURES).optional().meta({ description: 'Why there was no answer.' }),
    reason: z.enum(GIVEN_UP).optional().meta({ description: 'Why it was given up; only when FAILED.' }),
  })
  .meta({ id: 'WebhookDelivery' })
export type DeliveryView = z.infer<typeof DeliveryView>

export const DeliveryQuery = z.strictObject({
  status: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(z.enum(DELIVERY_STATUSES))
    .optional(),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})
export type DeliveryQuery = z.infer<typeof DeliveryQuery>

export const DeliveryList = z
  .object({
    deliveries: z.array(DeliveryView),
    cursor: z.string().optional().meta({ description: 'There is more; the page may be short all the same.' }),
  })
  .meta({ id: 'WebhookDeliveryList' })
export type DeliveryList = z.infer<typeof DeliveryList>

export const TestRequest = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .optional()
      .meta({ description: "Where to send it; left out: the operator's endpoint for all sessions." }),
  })
  .meta({ id: 'WebhookTestRequest' })
