import type { Log } from '../../lib/core/ports.ts'
import { type HttpHandler, json, withErrors } from './http.ts'
import { openapi } from './openapi.ts'

export interface AboutPorts {
  readonly log: Log
  readonly about: { readonly version: string; readonly model: string }
}

/** GET /health */
export const healthHandler = (ports: AboutPorts): HttpHandler =>
  withErrors(ports, async () => json(200, { status: 'ok', ...ports.about }))

/** GET /openapi.json */
export const openapiHandler = (ports: AboutPorts): HttpHandler =>
  withErrors(ports, async () => json(200, openapi(ports.about.version)))
