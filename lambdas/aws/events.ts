import { eventsHandler } from '../api/events.ts'
import { composeFollow } from './compose-live.ts'
import { streamed } from './streamed.ts'

const ports = composeFollow()

/** Behind a function URL, as an HTTP API cannot stream (docs/adr/0013-captions-stream.md). */
export const handler = streamed(ports, eventsHandler(ports))
