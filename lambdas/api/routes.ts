/** The routes of the batch lane: `routeKey` as API Gateway writes it. Both hosts and the OpenAPI document use this list. */
export const ROUTES = {
  upload: { method: 'POST', path: '/upload' },
  complete: { method: 'POST', path: '/upload/{jobId}/complete' },
  status: { method: 'GET', path: '/status/{jobId}' },
  list: { method: 'GET', path: '/jobs' },
  erase: { method: 'DELETE', path: '/jobs/{jobId}' },
  cancel: { method: 'POST', path: '/jobs/{jobId}/cancel' },
  health: { method: 'GET', path: '/health' },
  openapi: { method: 'GET', path: '/openapi.json' },
} as const

export type RouteName = keyof typeof ROUTES

/** The routes of the live lane and of webhooks. `events` answers with a stream, all others as those above do. */
export const LIVE_ROUTES = {
  stream: { method: 'POST', path: '/api/audio/stream' },
  speaker: { method: 'POST', path: '/api/speaker' },
  transcription: { method: 'GET', path: '/api/transcriptions/{sessionId}' },
  events: { method: 'GET', path: '/api/transcriptions/{sessionId}/events' },
  sessions: { method: 'GET', path: '/api/sessions' },
  session: { method: 'GET', path: '/api/sessions/{sessionId}' },
  closeSession: { method: 'POST', path: '/api/sessions/{sessionId}/close' },
  eraseSession: { method: 'DELETE', path: '/api/sessions/{sessionId}' },
  deliveries: { method: 'GET', path: '/webhooks/deliveries' },
  replayDelivery: { method: 'POST', path: '/webhooks/deliveries/{deliveryId}/replay' },
  testWebhook: { method: 'POST', path: '/webhooks/test' },
} as const

export type LiveRouteName = keyof typeof LIVE_ROUTES
