// Writes more than there is room for, by each way; writes what came of it as JSON.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '../../../../lib/adapters/local/database.ts'
import type { VerbatimError } from '../../../../lib/core/errors.ts'
import { serveObjects } from '../objects.ts'

const [dataDir, size] = process.argv.slice(2) as [string, string]
const db = openDatabase(dataDir)
const { objects, close } = await serveObjects(db, dataDir)
const body = Buffer.alloc(Number(size))

await objects.put('uploads/old', 'old', 'text/plain')
const put = await objects.put('uploads/old', body, 'text/plain').then(
  () => 'stored',
  (error: VerbatimError) => error.code,
)
const { url, method, headers } = await objects.presignPut({
  key: 'uploads/new',
  contentType: 'audio/wav',
  sizeBytes: body.length,
  expiresAt: Date.now() + 60_000,
})
const reply = await fetch(url, { method, headers, body })
const { error } = (await reply.json()) as { error: { code: string } }
const left = {
  put,
  upload: [reply.status, error.code],
  old: Buffer.from((await objects.get('uploads/old'))!).toString(),
  keys: await objects.list(''),
  files: readdirSync(join(dataDir, 'objects', 'data')).length,
}
process.stdout.write(`${JSON.stringify(left)}\n`)
await close()
