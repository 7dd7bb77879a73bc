import { replay } from '../../lib/core/webhooks/announce.ts'
import { DeliveryQuery, TestRequest } from '../../lib/core/webhooks/contract.ts'
import { listDeliveries, type TestPorts, testWebhook, viewDelivery } from '../../lib/core/webhooks/log.ts'
import type { AnnouncePorts } from '../../lib/core/webhooks/ports.ts'
import { forCallers, type HttpHandler, type HttpPorts, json, parse, parseBody } from './http.ts'

type Ports = HttpPorts & AnnouncePorts

/** GET /webhooks/deliveries */
export const deliveriesHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    const query = parse(DeliveryQuery, event.queryStringParameters ?? {}, 'query')
    return json(200, await listDeliveries(ports)(tenant, query))
  })

/** POST /webhooks/deliveries/{deliveryId}/replay */
export const replayHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) =>
    json(202, viewDelivery(await replay(ports)(tenant, event.pathParameters?.deliveryId ?? ''))),
  )

/** POST /webhooks/test */
export const testWebhookHandler = (ports: HttpPorts & TestPorts): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    const { url } = parseBody(TestRequest, event)
    const nonce = crypto.randomUUID().replaceAll('-', '')
    return json(202, await testWebhook(ports)(tenant, url, nonce))
  })
