import {
  DeliveryList,
  type DeliveryQuery,
  type DeliveryStatus,
  DeliveryView,
} from '../lib/core/webhooks/contract.ts'
import type { Api } from './http.ts'
import { queryOf } from './query.ts'

export interface WebhookClient {
  /** A page of the delivery log, newest first. */
  list(
    query: {
      status?: DeliveryStatus | undefined
      cursor?: string | undefined
      limit: DeliveryQuery['limit']
    },
    signal?: AbortSignal,
  ): Promise<DeliveryList>
  /** Sends a delivery again, under its own id. */
  replay(deliveryId: string, signal?: AbortSignal): Promise<DeliveryView>
  /** Sends an event of type `webhook.test` to `url`, or to the operator's endpoint. */
  test(url: string | undefined, signal?: AbortSignal): Promise<DeliveryView>
}

export const createWebhookClient = (api: Api): WebhookClient => ({
  list: (query, signal) =>
    api.call('GET', `/webhooks/deliveries?${queryOf(query)}`, { schema: DeliveryList, signal }),
  replay: (deliveryId, signal) =>
    api.call('POST', `/webhooks/deliveries/${encodeURIComponent(deliveryId)}/replay`, {
      schema: DeliveryView,
      signal,
    }),
  test: (url, signal) =>
    api.call('POST', '/webhooks/test', {
      schema: DeliveryView,
      body: url === undefined ? {} : { url },
      signal,
    }),
})
