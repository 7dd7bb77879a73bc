import { createJobStore } from '../../../lib/adapters/local/job-store.ts'
import { createQueue } from '../../../lib/adapters/local/queue.ts'
import { createSessionStore } from '../../../lib/adapters/local/session-store.ts'
import { createShardStore } from '../../../lib/adapters/local/shard-store.ts'
import { createTokenStore } from '../../../lib/adapters/local/token-store.ts'
import { describeJobStore } from '../../contracts/job-store.ts'
import { describeObjectStore } from '../../contracts/object-store.ts'
import { describeGroupedQueue, describeQueue } from '../../contracts/queue.ts'
import { describeSessionStore, KEEP_MS, START } from '../../contracts/session-store.ts'
import { describeShardStore } from '../../contracts/shard-store.ts'
import { describeTokenStore } from '../../contracts/token-store.ts'
import { temporaryDatabase } from './folder.ts'
import { EVENTS, temporaryObjects } from './objects.ts'

describeJobStore('one machine', async () => {
  const { db, dispose } = temporaryDatabase()
  return { jobs: createJobStore(db), dispose }
})

describeShardStore('one machine', async () => {
  const { db, dispose } = temporaryDatabase()
  return { shards: createShardStore(db), dispose }
})

describeTokenStore('one machine', async () => {
  const { db, dispose } = temporaryDatabase()
  return { tokens: createTokenStore(db), dispose }
})

async function temporaryQueue() {
  const { db, dispose } = temporaryDatabase()
  const queue = createQueue(db, 'work', {
    maxReceives: 3,
    deadLetterQueue: 'dead',
    backoffMs: () => 100,
  })
  return { queue, deadLetters: createQueue(db, 'dead', { maxReceives: 1 }), dispose }
}

describeSessionStore('one machine', async () => {
  const { db, dispose } = temporaryDatabase()
  const time = { now: START }
  const sessions = createSessionStore(db, { keepMs: KEEP_MS, clock: () => time.now })
  return { sessions, time, dispose }
})

describeQueue('one machine', temporaryQueue)
describeGroupedQueue('one machine', temporaryQueue)

describeObjectStore('one machine', async () => {
  const { objects, events, dispose } = await temporaryObjects()
  return { objects, events, eventPrefix: EVENTS.prefix, dispose }
})
