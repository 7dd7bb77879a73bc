import { createDeliveryStore } from '../../../lib/adapters/local/delivery-store.ts'
import { createLog } from '../../../lib/adapters/log.ts'
import { createPoster } from '../../../lib/adapters/sinks/webhook.ts'
import type { Job } from '../../../lib/core/job.ts'
import type { LiveSegment } from '../../../lib/core/live/segment.ts'
import type { Session } from '../../../lib/core/session.ts'
import type { DeliverPorts, WebhookSettings } from '../../../lib/core/webhooks/ports.ts'
import { temporaryDatabase } from '../../adapters/local/folder.ts'
import { storedFinals } from '../../support/live-segments.ts'
import { startReceiver } from '../../support/receiver.ts'

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
export const TOKEN = 'operators-token'

/** A real delivery log, a real receiver and a clock that stands until a test moves it, at first at the true time. */
export async function setup() {
  const receiver = await startReceiver()
  const { db, dispose } = temporaryDatabase()
  const time = { now: Date.now() }
  const logLines: string[] = []
  const stored = { sessions: [] as Session[], finals: [] as LiveSegment[], jobs: [] as Job[] }
  const webhooks: WebhookSettings = {
    live: { url: `${receiver.url}/engine/`, token: TOKEN },
    secrets: [SECRET],
  }
  let woken = 0
  const ports = {
    deliveries: createDeliveryStore(db, () => time.now),
    sessions: {
      ...storedFinals(() => stored.finals),
      get: async (ref) =>
        stored.sessions.find(({ tenant, sessionId }) => tenant === ref.tenant && sessionId === ref.sessionId),
    },
    jobs: {
      get: async (tenant, jobId) => stored.jobs.find((job) => job.tenant === tenant && job.jobId === jobId),
    },
    post: createPoster({ allow: [`127.0.0.1:${receiver.port}`] }),
    webhooks,
    clock: () => time.now,
    random: () => 0.5,
    log: createLog({ level: 'info', write: (line) => logLines.push(line) }),
    wakeDeliveries: () => void woken++,
  } satisfies DeliverPorts & Record<string, unknown>
  return {
    ...{ receiver, db, time, logLines, stored, ports, woken: () => woken },
    /** The segment numbers that the receiver was sent, in order. */
    arrived: () => receiver.requests.map(({ body }) => JSON.parse(body)[0].segment_id),
    async dispose() {
      await receiver.stop()
      await dispose()
    },
  }
}
