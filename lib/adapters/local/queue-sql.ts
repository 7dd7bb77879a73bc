import type { SQLOutputValue } from 'node:sqlite'
import type { Database } from './database.ts'
import { PARKED } from './queue-groups.ts'

export type Row = Record<string, SQLOutputValue>

/** What the queue asks of table `messages`. Grouped messages are put in parked: see queue-groups.ts. */
export function statements({ sql }: Database) {
  const free = 'receipt = NULL, visible_at = ?'
  return {
    next: sql.prepare('SELECT visible_at FROM messages WHERE queue = ? ORDER BY visible_at, seq LIMIT 1'),
    due: sql.prepare(
      `SELECT seq, message_id, body, sent_at, receive_count, group_id FROM messages
       WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?`,
    ),
    claim: sql.prepare('UPDATE messages SET receipt = ?, receive_count = ?, visible_at = ? WHERE seq = ?'),
    claimed: sql.prepare('SELECT seq, receive_count, group_id FROM messages WHERE receipt = ? AND queue = ?'),
    extend: sql.prepare('UPDATE messages SET visible_at = ? WHERE seq = ?'),
    release: sql.prepare(`UPDATE messages SET ${free} WHERE seq = ?`),
    insert: sql.prepare(
      `INSERT INTO messages (queue, message_id, body, sent_at, visible_at, group_id, due_at)
       VALUES (?, ?, ?, ?, ${PARKED}, ?, ?) RETURNING seq`,
    ),
    move: sql.prepare(`UPDATE messages SET queue = ?, ${free}, due_at = ? WHERE seq = ?`),
    // The condition on 0 is that of the index.
    worn: sql.prepare(
      `SELECT seq, group_id FROM messages INDEXED BY messages_tried
       WHERE queue = ? AND receive_count > 0 AND visible_at <= ? AND receive_count >= ?`,
    ),
    forgetIds: sql.prepare('DELETE FROM sent_ids WHERE sent_at <= ?'),
    rememberId: sql.prepare('INSERT OR IGNORE INTO sent_ids (queue, id, sent_at) VALUES (?, ?, ?)'),
    releaseAll: sql.prepare(
      `UPDATE messages SET ${free}, receive_count = receive_count - 1 WHERE queue = ? AND receipt IS NOT NULL`,
    ),
    remove: sql.prepare('DELETE FROM messages WHERE receipt = ? AND queue = ? RETURNING group_id'),
  }
}
