// Ends every other shard of a job, from `first` on, while others end the rest; writes how many it saw ended each time.
import { openDatabase } from '../../../../lib/adapters/local/database.ts'
import { createShardStore } from '../../../../lib/adapters/local/shard-store.ts'

const [dataDir, tenant, jobId, first] = process.argv.slice(2) as [string, string, string, string]
const shards = createShardStore(openDatabase(dataDir))
for (let shard = Number(first); shard < 100; shard += 2) {
  await shards.fail({ tenant, jobId }, 0)
  const tally = await shards.end({ tenant, jobId }, { shard, audioMs: 1, workMs: 1, engineMs: 1 })
  process.stdout.write(`${tally?.ended.length}\n`)
}
