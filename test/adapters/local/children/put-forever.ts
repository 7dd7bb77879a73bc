// Puts one object after the other until it is killed; writes each key once its promise has resolved.
import { openDatabase } from '../../../../lib/adapters/local/database.ts'
import { createObjectStore } from '../../../../lib/adapters/local/object-store.ts'
import { createPresigner } from '../../../../lib/adapters/local/presign.ts'
import { EVENTS } from '../objects.ts'

const [dataDir, round] = process.argv.slice(2) as [string, string]
const store = createObjectStore(openDatabase(dataDir), {
  dataDir,
  presigner: createPresigner(Buffer.alloc(32), () => ''),
  events: EVENTS,
})

async function putAll(lane: number): Promise<never> {
  for (let n = 0; ; n++) {
    const key = `uploads/${round}/${lane}-${n}`
    // The first four bytes say how many there must be.
    const body = Buffer.alloc(4 + ((n * 77_777) % 900_000), n)
    body.writeUInt32LE(body.length)
    await store.put(key, body, 'application/octet-stream')
    await store.put('uploads/replaced', body, 'application/octet-stream')
    process.stdout.write(`${key}\n`)
  }
}
await Promise.all([putAll(0), putAll(1)])
