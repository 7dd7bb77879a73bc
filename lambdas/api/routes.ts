/** Every route of the API: `routeKey` as API Gateway writes it. Both hosts and the OpenAPI document use this list. */
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
