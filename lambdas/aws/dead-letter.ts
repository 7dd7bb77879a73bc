import { deadLetterHandler } from '../events/dead-letter.ts'
import { composeEvents } from './compose.ts'
import { invoked } from './invoked.ts'

const ports = composeEvents()

export const handler = invoked(ports, deadLetterHandler(ports))
