import type { Database } from './database.ts'

/** What the session store asks of its tables. A session whose time is up is not found any more. */
export function statements({ sql }: Database) {
  const one = 'FROM sessions WHERE tenant = ? AND session_id = ? AND expires_at > ?'
  const names = 'SELECT body FROM speakers WHERE session = ?'
  return {
    number: sql.prepare(`SELECT session ${one}`),
    select: sql.prepare(`SELECT body ${one}`),
    insert: sql.prepare(
      `INSERT INTO sessions (tenant, session_id, version, state, created_at, expires_at, body)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    update: sql.prepare(
      `UPDATE sessions SET version = ?, state = ?, body = ? WHERE tenant = ? AND session_id = ? AND version = ?`,
    ),
    erase: sql.prepare('DELETE FROM sessions WHERE tenant = ? AND session_id = ?'),
    eraseExpired: sql.prepare('DELETE FROM sessions WHERE expires_at <= ? RETURNING tenant, session_id'),
    page: sql.prepare(
      `SELECT body FROM sessions WHERE tenant = ? AND expires_at > ? AND (created_at, session_id) < (?, ?)
       ORDER BY created_at DESC, session_id DESC LIMIT ?`,
    ),
    open: sql.prepare(`SELECT tenant, session_id FROM sessions WHERE state <> 'CLOSED' AND expires_at > ?`),

    addChunk: sql.prepare('INSERT OR IGNORE INTO chunks (session, seq, post, body) VALUES (?, ?, ?, ?)'),
    post: sql.prepare('SELECT post FROM chunks WHERE session = ? AND seq = ?'),
    chunks: sql.prepare('SELECT body FROM chunks WHERE session = ? AND seq >= ? ORDER BY seq LIMIT ?'),
    lastChunk: sql.prepare('SELECT body FROM chunks WHERE session = ? ORDER BY seq DESC LIMIT 1'),

    addSpeaker: sql.prepare('INSERT INTO speakers (session, at, arrived_at, body) VALUES (?, ?, ?, ?)'),
    speakers: sql.prepare(`${names} ORDER BY at, arrived_at, n`),
    speakersFrom: sql.prepare(`${names} AND at >= ? ORDER BY at, arrived_at, n`),
    speakerBefore: sql.prepare(`${names} AND at < ? ORDER BY at DESC, arrived_at DESC, n DESC LIMIT 1`),

    step: sql.prepare('SELECT step, body FROM steps WHERE session = ?'),
    putStep: sql.prepare('INSERT OR REPLACE INTO steps (session, step, body) VALUES (?, ?, ?)'),
    putSegment: sql.prepare('INSERT OR REPLACE INTO segments (session, id, body) VALUES (?, ?, ?)'),
    segments: sql.prepare('SELECT body FROM segments WHERE session = ? AND id > ? ORDER BY id LIMIT ?'),
  }
}
