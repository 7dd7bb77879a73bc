import * as z from 'zod'
import { Tenant } from '../job.ts'
import { SessionId } from '../session.ts'

/** What goes through the queue `live`: names a session that has something new, carries no data. */
export const LiveMessage = z.object({ tenant: Tenant, sessionId: SessionId })
export type LiveMessage = z.infer<typeof LiveMessage>
