import * as z from 'zod'
import { JobId, Tenant } from '../job.ts'

/** What goes through the work queue: names a job, carries no data. */
export const WorkMessage = z.object({ tenant: Tenant, jobId: JobId })
export type WorkMessage = z.infer<typeof WorkMessage>
