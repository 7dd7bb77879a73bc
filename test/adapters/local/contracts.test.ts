import { createJobStore } from '../../../lib/adapters/local/job-store.ts'
import { createQueue } from '../../../lib/adapters/local/queue.ts'
import { createTokenStore } from '../../../lib/adapters/local/token-store.ts'
import { describeJobStore } from '../../contracts/job-store.ts'
import { describeObjectStore } from '../../contracts/object-store.ts'
import { describeQueue } from '../../contracts/queue.ts'
import { describeTokenStore } from '../../contracts/token-store.ts'
import { temporaryDatabase } from './folder.ts'
import { EVENTS, temporaryObjects } from './objects.ts'

describeJobStore('one machine', async () => {
  const { db, dispose } = temporaryDatabase()
  return { jobs: createJobStore(db), dispose }
})

describeTokenStore('one machine', async () => {
  const { db, dispose } = temporaryDatabase()
  return { tokens: createTokenStore(db), dispose }
})

describeQueue('one machine', async () => {
  const { db, dispose } = temporaryDatabase()
  const queue = createQueue(db, 'work', {
    maxReceives: 3,
    deadLetterQueue: 'dead',
    backoffMs: () => 100,
  })
  return { queue, deadLetters: createQueue(db, 'dead', { maxReceives: 1 }), dispose }
})

describeObjectStore('one machine', async () => {
  const { objects, events, dispose } = await temporaryObjects()
  return { objects, events, eventPrefix: EVENTS.prefix, dispose }
})
