import type { Database } from './database.ts'

/** The `visible_at` of a message that waits behind another of its group. */
export const PARKED = Number.MAX_SAFE_INTEGER

export interface QueueGroups {
  /** Gives a message its place in its group; it has been put into `queue` just now, parked, with its `due_at`. */
  enter(queue: string, group: string, seq: number): void
  /** Lets the next of the group come forward, if none has. For when its first message has left the queue. */
  promote(queue: string, group: string): void
}

/**
 * Keeps one message of each group where `receive` looks: the one that has been received and is not done yet, else the
 * one that is due first. All others are parked, so that however many wait, `receive` never has to pass them over. To be
 * called inside the transaction that changes the queue.
 */
export function createGroups({ sql }: Database): QueueGroups {
  // Whoever has come forward has the earlier visible_at; the parked follow in their order.
  const first = sql.prepare(
    `SELECT seq, visible_at, due_at, receive_count FROM messages WHERE queue = ? AND group_id = ?
     ORDER BY visible_at, due_at, seq LIMIT 1`,
  )
  const dueAt = sql.prepare('SELECT due_at FROM messages WHERE seq = ?')
  const park = sql.prepare(`UPDATE messages SET visible_at = ${PARKED} WHERE seq = ?`)
  const unpark = sql.prepare('UPDATE messages SET visible_at = due_at WHERE seq = ?')

  function promote(queue: string, group: string): void {
    const next = first.get(queue, group)
    if (Number(next?.visible_at) === PARKED) unpark.run(next!.seq!)
  }

  function enter(queue: string, group: string, seq: number): void {
    promote(queue, group)
    const head = first.get(queue, group)!
    // One that is sent with a delay does not hold up what is due before it.
    const started = Number(head.receive_count) > 0
    if (started || Number(dueAt.get(seq)?.due_at) >= Number(head.due_at)) return
    park.run(head.seq!)
    unpark.run(seq)
  }

  return { enter, promote }
}
