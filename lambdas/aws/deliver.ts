import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'aws-lambda'
import { deliverHandler } from '../events/deliver.ts'
import { composeDeliver } from './compose-webhooks.ts'

/** Longer than one attempt takes. */
const RESERVE_MS = 20_000

const compose = composeDeliver()

/** Queue `deliveries`, and every minute: webhooks are sent. What the event says does not matter. */
export async function handler(_event: unknown, context: Context): Promise<void> {
  const { begin, ports } = compose
  begin(context)
  const signal = AbortSignal.timeout(context.getRemainingTimeInMillis() - RESERVE_MS)
  await deliverHandler(await ports())({ signal, pause: (ms) => sleep(ms) })
}
