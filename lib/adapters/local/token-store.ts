import type { TokenRecord, TokenStore } from '../../core/ports.ts'
import type { Database } from './database.ts'

const COLUMNS = 'token_id AS tokenId, tenant, name, salt, hash, created_at AS createdAt'

/** Tokens in the database of a data folder; the CLI may write them while the service runs. */
export function createTokenStore(db: Database): TokenStore {
  const insert = db.sql.prepare(
    'INSERT OR REPLACE INTO tokens (token_id, tenant, name, salt, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const select = db.sql.prepare(`SELECT ${COLUMNS} FROM tokens WHERE token_id = ?`)
  const selectAll = db.sql.prepare(`SELECT ${COLUMNS} FROM tokens ORDER BY created_at, token_id`)
  const erase = db.sql.prepare('DELETE FROM tokens WHERE token_id = ?')

  return {
    async put({ tokenId, tenant, name, salt, hash, createdAt }) {
      db.transaction(() => insert.run(tokenId, tenant, name, salt, hash, createdAt))
    },
    async get(tokenId) {
      const row = db.read(() => select.get(tokenId))
      return row && ({ ...row } as unknown as TokenRecord)
    },
    async list() {
      return db.read(() => selectAll.all()).map((row) => ({ ...row }) as unknown as TokenRecord)
    },
    async remove(tokenId) {
      return db.transaction(() => erase.run(tokenId).changes === 1)
    },
  }
}
