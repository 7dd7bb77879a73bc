import { createJobStore } from '../../lib/adapters/aws/job-store.ts'
import { createTokenStore } from '../../lib/adapters/aws/token-store.ts'
import { describeJobStore } from '../contracts/job-store.ts'
import { describeObjectStore } from '../contracts/object-store.ts'
import { describeQueue } from '../contracts/queue.ts'
import { describeTokenStore } from '../contracts/token-store.ts'
import { EVENT_PREFIX, temporaryBucket, temporaryQueue, temporaryTable, withEncodedKeys } from './support.ts'

describeJobStore('AWS', async () => {
  const { db, table, dispose } = await temporaryTable()
  return { jobs: createJobStore(db, table), dispose }
})

describeTokenStore('AWS', async () => {
  const { db, table, dispose } = await temporaryTable()
  return { tokens: createTokenStore(db, table), dispose }
})

describeQueue('AWS', () => temporaryQueue(3))

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
