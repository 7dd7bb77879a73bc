import { describeShardStore } from '../contracts/shard-store.ts'
import { createMemoryShards } from './memory.ts'

describeShardStore('in memory', async () => ({ shards: createMemoryShards(), dispose: async () => {} }))
