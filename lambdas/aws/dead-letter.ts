import { deadLetterHandler } from '../events/dead-letter.ts'
import { composeEvents } from './compose.ts'

export const handler = deadLetterHandler(composeEvents())
