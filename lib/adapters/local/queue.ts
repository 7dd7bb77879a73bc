import { randomUUID } from 'node:crypto'
import type { Clock, Message, Queue } from '../../core/ports.ts'
import type { Database } from './database.ts'
import { createGroups, PARKED } from './queue-groups.ts'
import { type Row, statements } from './queue-sql.ts'

export interface QueueOptions {
  /** A message that was claimed so often and not removed goes to `deadLetterQueue`. */
  readonly maxReceives: number
  /** Left out: a message is tried for ever, further and further apart. */
  readonly deadLetterQueue?: string
  /** Pause before the delivery that follows a failed one, by the number of deliveries so far (1, 2, …). */
  readonly backoffMs?: (receiveCount: number) => number
}

export interface LocalQueue extends Queue {
  /**
   * Gives every claim back at once, as if it had never been made: no pause, not counted. For the host at its start,
   * which knows (lock.ts) that whoever held the claims is dead. Returns how many there were.
   */
  releaseAll(): Promise<number>
}

/** 1 s, 2 s, 4 s … at most a minute. */
export const defaultBackoffMs = (receiveCount: number): number =>
  Math.min(1000 * 2 ** (receiveCount - 1), 60_000)

/** SQS's deduplication interval. */
const DEDUPE_MS = 5 * 60 * 1000

/** Messages sent by other processes are seen after this long; those of this process at once. */
const POLL_MS = 200

/**
 * A queue in the database of a data folder.
 *
 * A delivery fails when its claim lapses or is given back (`extend(receipt, 0)`). After the nth failure the message
 * stays invisible for `backoffMs(n)`; after failure number `maxReceives` it is moved to the dead-letter queue, where
 * it keeps its id, body, time and count. It is moved by `extend(receipt, 0)`, or by the next `receive` after a lapse.
 * A claim that has lapsed is still good for `extend` and `remove` until somebody else receives the message.
 *
 * One `receive` gives at most one message of a group. A group waits through the pauses of its first message; one that is
 * delayed does not hold up those that are due before it. Dead letters keep their groups.
 */
export function createQueue(
  db: Database,
  name: string,
  options: QueueOptions,
  clock: Clock = Date.now,
): LocalQueue {
  const q = statements(db)
  const groups = createGroups(db)
  const { maxReceives, deadLetterQueue, backoffMs = defaultBackoffMs } = options
  const isLast = (count: number) => deadLetterQueue !== undefined && count >= maxReceives
  /** When a claim lapses, the pause is already counted in; the last one needs none, nobody tries again. */
  const visibleAfter = (lapses: number, count: number) => lapses + (isLast(count) ? 0 : backoffMs(count))

  function claim(max: number, visibilityMs: number): Message[] {
    const next = msToNext()
    if (next === undefined || next > 0) return []
    return db.transaction(() => {
      const now = clock()
      if (deadLetterQueue !== undefined) for (const row of q.worn.all(name, now, maxReceives)) bury(row)
      return q.due.all(name, now, max).map((row) => {
        const receipt = randomUUID()
        const receiveCount = Number(row.receive_count) + 1
        q.claim.run(receipt, receiveCount, visibleAfter(now + visibilityMs, receiveCount), row.seq!)
        const { message_id: messageId, body, sent_at: sentAt, group_id: group } = row
        return {
          messageId: String(messageId),
          receipt,
          body: String(body),
          receiveCount,
          sentAt: Number(sentAt),
          ...(group !== null && { group: String(group) }),
        }
      })
    })
  }

  /** Milliseconds until a message may be received; undefined when there is none. Needs no write lock. */
  function msToNext(): number | undefined {
    const next = db.read(() => q.next.get(name))
    return next && Number(next.visible_at) - clock()
  }

  const receive: Queue['receive'] = async ({ max, visibilityMs, waitMs, signal }) => {
    // Waiting is measured by a clock that nobody can set.
    const until = performance.now() + waitMs
    for (;;) {
      if (signal?.aborted) return []
      const messages = claim(max, visibilityMs)
      const left = until - performance.now()
      if (messages.length > 0 || left <= 0) return messages
      await wakeup(db, name, Math.min(left, POLL_MS, Math.max(msToNext() ?? POLL_MS, 1)), signal)
    }
  }

  function bury({ seq, group_id: group }: Row): void {
    const now = clock()
    q.move.run(deadLetterQueue!, group === null ? now : PARKED, now, seq!)
    if (group === null) return
    groups.enter(deadLetterQueue!, String(group), Number(seq))
    groups.promote(name, String(group))
  }

  function giveBack(row: Row, count: number): void {
    if (isLast(count)) bury(row)
    else q.release.run(clock() + backoffMs(count), row.seq!)
  }

  /** True unless a message with this id was sent within the last minutes. */
  function isNew(id: string, now: number): boolean {
    q.forgetIds.run(now - DEDUPE_MS)
    return q.rememberId.run(name, id, now).changes === 1
  }

  const extend: Queue['extend'] = async (receipt, visibilityMs) =>
    db.transaction(() => {
      const row = q.claimed.get(receipt, name)
      if (!row) return false
      const count = Number(row.receive_count)
      if (visibilityMs > 0) q.extend.run(visibleAfter(clock() + visibilityMs, count), row.seq!)
      else giveBack(row, count)
      return true
    })

  return {
    receive,
    extend,
    async send(body, { delayMs = 0, group, dedupe } = {}) {
      const now = clock()
      db.transaction(() => {
        if (dedupe !== undefined && !isNew(dedupe, now)) return
        const dueAt = now + delayMs
        if (group === undefined) insertMessage(db, name, body, now, dueAt)
        else groups.enter(name, group, Number(q.insert.get(name, randomUUID(), body, now, group, dueAt)!.seq))
      })
      wake(db, name)
    },
    async remove(receipt) {
      const row = db.transaction(() => {
        const removed = q.remove.get(receipt, name)
        if (removed && removed.group_id !== null) groups.promote(name, String(removed.group_id))
        return removed
      })
      // The next of its group may be received now.
      if (row && row.group_id !== null) wake(db, name)
      return row !== undefined
    },
    async releaseAll() {
      const { changes } = db.transaction(() => q.releaseAll.run(clock(), name))
      wake(db, name)
      return Number(changes)
    },
  }
}

/** Puts a message into a queue, inside the transaction of the caller, who calls `wake` once it has committed. */
export function insertMessage(
  db: Database,
  queue: string,
  body: string,
  sentAt: number,
  visibleAt: number,
): void {
  db.sql
    .prepare('INSERT INTO messages (queue, message_id, body, sent_at, visible_at) VALUES (?, ?, ?, ?, ?)')
    .run(queue, randomUUID(), body, sentAt, visibleAt)
}

/** Tells the receivers of this process that there may be a message. */
export function wake(db: Database, queue: string): void {
  db.wakeups.emit(`queue:${queue}`)
}

function wakeup(db: Database, queue: string, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const event = `queue:${queue}`
    const done = () => {
      clearTimeout(timer)
      db.wakeups.off(event, done)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    db.wakeups.on(event, done)
    signal?.addEventListener('abort', done)
  })
}
