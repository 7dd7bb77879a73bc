import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openDatabase } from '../../../lib/adapters/local/database.ts'
import { createQueue } from '../../../lib/adapters/local/queue.ts'
import { MIGRATIONS } from '../../../lib/adapters/local/schema.ts'
import { linesOf, startChild } from './child.ts'
import { temporaryFolder } from './folder.ts'

describe('the database of a data folder', () => {
  let dataDir: string
  let dispose: () => void
  beforeEach(() => {
    ;({ dataDir, dispose } = temporaryFolder())
  })
  afterEach(() => dispose())

  it('is made whole when several processes open a new folder at once, and loses none of their writes', async () => {
    await Promise.all(Array.from({ length: 4 }, () => linesOf(startChild('open.ts', [dataDir]))))
    const db = openDatabase(dataDir)
    expect(db.sql.prepare('SELECT count(*) AS n, count(DISTINCT body) AS d FROM messages').get()).toEqual({
      n: 200,
      d: 200,
    })
    db.close()
  })

  it('is for its owner alone', () => {
    const db = openDatabase(dataDir)
    for (const name of readdirSync(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600)
    db.close()
  })

  it('survives a crash of the machine as far as SQLite can see to it', () => {
    const db = openDatabase(dataDir)
    const pragma = (name: string) => Object.values(db.sql.prepare(`PRAGMA ${name}`).get()!)[0]
    expect(pragma('journal_mode')).toBe('wal')
    expect(pragma('synchronous')).toBe(2)
    expect(pragma('foreign_keys')).toBe(1)
    expect(pragma('secure_delete')).toBe(1)
    db.close()
  })

  it('refuses a folder that a newer version has written', () => {
    openDatabase(dataDir).close()
    const sql = new DatabaseSync(join(dataDir, 'verbatim.db'))
    sql.exec('PRAGMA user_version = 9999')
    sql.close()
    expect(() => openDatabase(dataDir)).toThrow('written by a newer version')
  })

  it('takes over what the first version has stored', async () => {
    const old = new DatabaseSync(join(dataDir, 'verbatim.db'))
    old.exec(`${MIGRATIONS[0]!}; PRAGMA user_version = 1;
      INSERT INTO messages (queue, message_id, body, sent_at, visible_at) VALUES ('work', 'id', 'old', 1, 1)`)
    old.close()
    const db = openDatabase(dataDir)
    const queue = createQueue(db, 'work', { maxReceives: 3 })
    await queue.send('new', { group: 'g' })
    const messages = await queue.receive({ max: 9, visibilityMs: 1000, waitMs: 0 })
    expect(messages.map(({ body }) => body)).toEqual(['old', 'new'])
    db.close()
  })

  it('says that a file is damaged', () => {
    writeFileSync(join(dataDir, 'verbatim.db'), 'This is no database. '.repeat(500))
    expect(() => openDatabase(dataDir)).toThrow('The database is damaged.')
  })

  it('undoes a transaction that fails half-way', () => {
    const db = openDatabase(dataDir)
    const insert = "INSERT INTO tokens VALUES ('id', 't', 'n', '', '', 0)"
    const failing = () =>
      db.transaction(() => {
        db.sql.exec(insert)
        throw new Error('half-way')
      })
    expect(failing).toThrow()
    expect(db.sql.prepare('SELECT count(*) AS n FROM tokens').get()).toEqual({ n: 0 })
    db.transaction(() => db.sql.exec(insert))
    db.close()
  })
})
