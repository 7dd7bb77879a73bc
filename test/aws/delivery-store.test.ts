import { createDeliveryStore } from '../../lib/adapters/aws/delivery-store.ts'
import { describeDeliveryStore } from '../contracts/delivery-store.ts'
import { temporaryTable } from './support.ts'

describeDeliveryStore('AWS', async (clock) => {
  const { db, table, dispose } = await temporaryTable()
  return { deliveries: createDeliveryStore(db, table, clock), dispose }
})
