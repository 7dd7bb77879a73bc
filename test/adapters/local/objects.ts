import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Database } from '../../../lib/adapters/local/database.ts'
import { createObjectHttp } from '../../../lib/adapters/local/object-http.ts'
import { createObjectStore } from '../../../lib/adapters/local/object-store.ts'
import { createPresigner } from '../../../lib/adapters/local/presign.ts'
import { createQueue } from '../../../lib/adapters/local/queue.ts'
import { loadSecret } from '../../../lib/adapters/local/secret.ts'
import { createLog } from '../../../lib/adapters/log.ts'
import { temporaryDatabase } from './folder.ts'

export const EVENTS = { prefix: 'uploads/', queue: 'uploads' }

/** An object store behind an HTTP server, in a folder of its own. */
export async function temporaryObjects() {
  const folder = temporaryDatabase()
  const served = await serveObjects(folder.db, folder.dataDir)
  return {
    ...folder,
    ...served,
    async dispose() {
      await served.close()
      await folder.dispose()
    },
  }
}

export async function serveObjects(db: Database, dataDir: string) {
  let baseUrl = ''
  const presigner = createPresigner(loadSecret(dataDir), () => baseUrl)
  const objects = createObjectStore(db, { dataDir, presigner, events: EVENTS })
  const lines: string[] = []
  const log = createLog({ level: 'info', write: (line) => lines.push(line) })
  const handle = createObjectHttp({ store: objects, presigner, log })
  const server = createServer({ requestTimeout: 0 }, (req, res) => void handle(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    objects,
    events: createQueue(db, EVENTS.queue, { maxReceives: 5 }),
    logLines: lines,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
