import { liveDeadLetterHandler } from '../events/live-dead-letter.ts'
import { composeTick } from './compose-live.ts'
import { invoked } from './invoked.ts'

const ports = composeTick()

export const handler = invoked(ports, liveDeadLetterHandler(ports))
