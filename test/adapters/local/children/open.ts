// Opens the database of a folder that others open at the same moment, and writes to it.
import { openDatabase } from '../../../../lib/adapters/local/database.ts'
import { createQueue } from '../../../../lib/adapters/local/queue.ts'

const [dataDir] = process.argv.slice(2) as [string]
const queue = createQueue(openDatabase(dataDir), 'opened', { maxReceives: 3 })
for (let n = 0; n < 50; n++) await queue.send(`${process.pid}-${n}`)
