// Claims one message, writes its body, and holds the claim until it is killed.
import { openDatabase } from '../../../../lib/adapters/local/database.ts'
import { createQueue } from '../../../../lib/adapters/local/queue.ts'

const [dataDir, name] = process.argv.slice(2) as [string, string]
const queue = createQueue(openDatabase(dataDir), name, { maxReceives: 3 })
const [message] = await queue.receive({ max: 1, visibilityMs: 3_600_000, waitMs: 5000 })
process.stdout.write(`${message?.body}\n`)
process.stdin.resume()
