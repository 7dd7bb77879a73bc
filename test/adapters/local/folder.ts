import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '../../../lib/adapters/local/database.ts'

/** A data folder of its own; `dispose` deletes it. */
export function temporaryFolder(): { dataDir: string; dispose(): void } {
  const dataDir = mkdtempSync(join(tmpdir(), 'verbatim-test-'))
  return { dataDir, dispose: () => rmSync(dataDir, { recursive: true, force: true }) }
}

/** An open database in a folder of its own. */
export function temporaryDatabase(): { dataDir: string; db: Database; dispose(): Promise<void> } {
  const { dataDir, dispose } = temporaryFolder()
  const db = openDatabase(dataDir)
  return {
    dataDir,
    db,
    dispose: async () => {
      db.close()
      dispose()
    },
  }
}
