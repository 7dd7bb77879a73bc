import { changeSession } from '../../lib/core/live/change.ts'
import { LiveMessage } from '../../lib/core/live/messages.ts'
import type { LivePorts } from '../../lib/core/live/ports.ts'
import { forRecords, type SqsHandler } from './sqs.ts'

/**
 * SQS dead letters of `live`: again and again nobody could bring these sessions further. Who asks for such a session is
 * told; it is not given up: what has come is stored, and it is woken again for as long as it is open (8-close.ts).
 */
export const liveDeadLetterHandler = (ports: Pick<LivePorts, 'sessions' | 'clock' | 'log'>): SqsHandler =>
  forRecords(ports.log, async ({ body, messageId }) => {
    const { tenant, sessionId } = LiveMessage.parse(JSON.parse(body))
    const session = await changeSession(ports, { tenant, sessionId }, ({ state, lastError }) =>
      state === 'CLOSED' || lastError !== undefined ? undefined : { lastError: 'internal' },
    )
    ports.log.error('session does not get on', { messageId, tenant, ...(session && { code: session.state }) })
  })
