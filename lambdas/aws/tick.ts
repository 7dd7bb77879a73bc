import { closeIdle } from '../../lib/core/live/8-close.ts'
import { composeTick } from './compose-live.ts'
import { invoked } from './invoked.ts'

const ports = composeTick()

/** Every minute: closes sessions that nobody speaks in any more, and wakes those that wait for nothing but time. */
export const handler = invoked(ports, () => closeIdle(ports)())
