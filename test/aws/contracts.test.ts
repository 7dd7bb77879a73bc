import { createJobStore } from '../../lib/adapters/aws/job-store.ts'
import { createSessionStore } from '../../lib/adapters/aws/session-store.ts'
import { createShardStore } from '../../lib/adapters/aws/shard-store.ts'
import { createTokenStore } from '../../lib/adapters/aws/token-store.ts'
import { describeJobStore, SAMPLE_TIME } from '../contracts/job-store.ts'
import { describeObjectStore } from '../contracts/object-store.ts'
import { describeGroupedQueue, describeQueue } from '../contracts/queue.ts'
import { describeSessionStore, KEEP_MS, START } from '../contracts/session-store.ts'
import { describeShardStore } from '../contracts/shard-store.ts'
import { describeTokenStore } from '../contracts/token-store.ts'
import { EVENT_PREFIX, temporaryBucket, temporaryQueue, temporaryTable, withEncodedKeys } from './support.ts'

describeJobStore('AWS', async () => {
  const { db, table, dispose } = await temporaryTable()
  return { jobs: createJobStore(db, table, { recordDays: 1, clock: () => SAMPLE_TIME }), dispose }
})

describeShardStore('AWS', async () => {
  const { db, table, dispose } = await temporaryTable()
  return { shards: createShardStore(db, table, { recordDays: 1 }), dispose }
})

describeTokenStore('AWS', async () => {
  const { db, table, dispose } = await temporaryTable()
  return { tokens: createTokenStore(db, table), dispose }
})

describeSessionStore('AWS', async () => {
  const { db, table, dispose } = await temporaryTable()
  const time = { now: START }
  const sessions = createSessionStore(db, table, { keepMs: KEEP_MS, clock: () => time.now })
  return { sessions, time, dispose }
})

describeQueue('AWS', () => temporaryQueue(3))
describeGroupedQueue('AWS', () => temporaryQueue(3, { fifo: true }))

describeObjectStore('AWS', async () => {
  const events = await temporaryQueue(3)
  const bucket = await temporaryBucket(events.arn)
  return {
    ...{ objects: bucket.objects, takesUnsigned: bucket.takesUnsigned },
    ...{ events: withEncodedKeys(events.queue), eventPrefix: EVENT_PREFIX },
    dispose: async () => {
      await bucket.dispose()
      await events.dispose()
    },
  }
})
