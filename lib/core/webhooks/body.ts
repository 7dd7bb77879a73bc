import type { Job } from '../job.ts'
import { publishedSegment } from '../live/published.ts'
import type { Delivery, Subject } from './delivery.ts'
import type { DeliverPorts } from './ports.ts'

type About<T extends Subject['type']> = Extract<Subject, { type: T }>

/**
 * What is sent, made from the stores at the moment of sending: a name that came late is in it, and what has been
 * erased in the meantime is not. Undefined when there is nothing left to tell of.
 */
export async function bodyOf(
  ports: Pick<DeliverPorts, 'sessions' | 'jobs'>,
  { tenant, subject }: Delivery,
): Promise<string | undefined> {
  switch (subject.type) {
    case 'segment':
      return segmentBody(ports, tenant, subject)
    case 'webhook.test':
      return JSON.stringify({ type: subject.type, timestamp: iso(subject.at), data: {} })
    case 'job.completed':
    case 'job.failed': {
      const job = await ports.jobs.get(tenant, subject.jobId)
      return job && JSON.stringify({ type: subject.type, timestamp: iso(subject.at), data: jobData(job) })
    }
  }
}

async function segmentBody(
  { sessions }: Pick<DeliverPorts, 'sessions'>,
  tenant: string,
  { sessionId, sessionAt, segment, zeroAt }: About<'segment'>,
): Promise<string | undefined> {
  const ref = { tenant, sessionId }
  const session = await sessions.get(ref)
  if (session?.createdAt !== sessionAt) return undefined
  const [found] = await sessions.segments(ref, { ...(segment > 0 && { after: segment - 1 }), limit: 1 })
  return found?.id === segment ? JSON.stringify([publishedSegment(ref, found, zeroAt)]) : undefined
}

/** Of a job its state, never its words: the receiver asks for those with its token. */
function jobData(job: Job) {
  return {
    jobId: job.jobId,
    status: job.status,
    createdAt: iso(job.createdAt),
    updatedAt: iso(job.updatedAt),
    ...(job.status === 'COMPLETED' && { durationMs: job.durationMs, language: job.language }),
    ...(job.status === 'FAILED' && { error: job.error }),
    ...(job.options.metadata && { metadata: job.options.metadata }),
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()
