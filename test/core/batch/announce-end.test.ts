import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createDeliveryStore, type LocalDeliveryStore } from '../../../lib/adapters/local/delivery-store.ts'
import { createQueue } from '../../../lib/adapters/local/queue.ts'
import { acceptUpload } from '../../../lib/core/batch/2-accept.ts'
import { announceEnd, type Ended } from '../../../lib/core/batch/announce-end.ts'
import { workOn } from '../../../lib/core/batch/work.ts'
import { STATUSES } from '../../../lib/core/job.ts'
import { uploadKey } from '../../../lib/core/keys.ts'
import { createPorts, type TestPorts } from '../../support/ports.ts'
import { storeJob, TENANT } from './jobs.ts'
import { ONE, queueJob } from './recordings.ts'

let ports: TestPorts
let deliveries: LocalDeliveryStore
let ended: Ended

beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => {
  ports.reset()
  ports.db.sql.exec('DELETE FROM deliveries; DELETE FROM lanes; DELETE FROM sent_ids')
  deliveries = createDeliveryStore(ports.db, ports.clock)
  const live = createQueue(ports.db, 'live', { maxReceives: 20 }, ports.clock)
  ended = announceEnd({ jobs: ports.jobs, live, deliveries, clock: ports.clock })
})
afterAll(() => ports.dispose())

const URL_OF_CLIENT = 'https://hooks.example.com/'
const OPTIONS = { webhookUrl: URL_OF_CLIENT, sessionId: 'standup' }
const told = async () => (await deliveries.list(TENANT, { limit: 10 })).deliveries
const toldTypes = async () => (await told()).map(({ subject }) => subject.type)

describe('the end of a job', () => {
  it.each(STATUSES)(
    'is told of a job that is %s if it has ended, once however often it is asked for',
    async (status) => {
      const job = await storeJob(ports, status, { options: OPTIONS })
      for (let i = 0; i < 3; i++) await ended(job)
      const types = { COMPLETED: ['job.completed'], FAILED: ['job.failed'] }
      expect(await toldTypes()).toEqual(types[status as keyof typeof types] ?? [])
      const over = ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'].includes(status)
      expect(ports.pending('live')).toEqual(over ? [{ tenant: TENANT, sessionId: 'standup' }] : [])
    },
  )

  it('is nobody’s business when nobody has asked', async () => {
    await ended(await storeJob(ports, 'COMPLETED'))
    await ended({ tenant: TENANT, jobId: '01JD0000000000000000009999' })
    expect([await told(), ports.pending('live')]).toEqual([[], []])
  })
})

describe('a worker', () => {
  const never = new AbortController().signal

  it('that dies between the end of a job and telling it has it told by the next delivery', async () => {
    const job = await queueJob(ports, ONE, OPTIONS)
    const dies = () => Promise.reject(new Error('killed'))
    await expect(workOn({ ...ports, ended: dies })(job, 'worker/1', never)).rejects.toThrow('killed')
    expect(await toldTypes()).toEqual([])
    expect(await workOn({ ...ports, ended })(job, 'worker/2', never)).toEqual({ outcome: 'nothing-to-do' })
    expect(await toldTypes()).toEqual(['job.completed'])
  })

  it('tells of a recording that is no sound', async () => {
    const job = await queueJob(ports, Buffer.from('no sound'), OPTIONS)
    expect(await workOn({ ...ports, ended })(job, 'worker/1', never)).toEqual({ outcome: 'failed' })
    expect(await toldTypes()).toEqual(['job.failed'])
  })
})

describe('an upload of the wrong length', () => {
  it('is told too', async () => {
    const job = await storeJob(ports, 'UPLOADING', { sizeBytes: 4, options: OPTIONS })
    await ports.objects.put(uploadKey(job), 'too long', 'audio/wav')
    expect(await acceptUpload({ ...ports, ended })(uploadKey(job))).toBe('wrong-size')
    expect(await toldTypes()).toEqual(['job.failed'])
  })
})
