import { VerbatimError } from '../core/errors.ts'
import { Delivery, type DeliveryIn } from '../core/webhooks/delivery.ts'

/** A record that does not fit the schema is a fault of ours, never something to guess at. */
export function readDelivery(body: unknown): Delivery {
  try {
    return Delivery.parse(JSON.parse(String(body)))
  } catch (cause) {
    throw new VerbatimError('internal', 'A stored webhook cannot be read.', { cause })
  }
}

export function readPending(body: unknown): DeliveryIn<'PENDING'> {
  const delivery = readDelivery(body)
  if (delivery.status === 'PENDING') return delivery
  throw new VerbatimError('internal', 'A stored webhook cannot be read.')
}
