import { replayHandler } from '../api/webhooks.ts'
import { composeWebhookApi } from './compose-webhooks.ts'
import { invoked } from './invoked.ts'

const ports = composeWebhookApi()

export const handler = invoked(ports, replayHandler(ports))
