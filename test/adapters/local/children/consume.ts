// Takes messages off a queue until none comes any more; writes the body of each that it was given.
import { openDatabase } from '../../../../lib/adapters/local/database.ts'
import { createQueue } from '../../../../lib/adapters/local/queue.ts'

const [dataDir, name] = process.argv.slice(2) as [string, string]
const queue = createQueue(openDatabase(dataDir), name, { maxReceives: 3 })
for (;;) {
  const messages = await queue.receive({ max: 3, visibilityMs: 60_000, waitMs: 1500 })
  if (messages.length === 0) break
  for (const { receipt, body } of messages) {
    process.stdout.write(`${body}\n`)
    await queue.remove(receipt)
  }
}
