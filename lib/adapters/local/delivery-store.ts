import type { Clock } from '../../core/ports.ts'
import { type Delivery, endOfLane, startOfLane } from '../../core/webhooks/delivery.ts'
import { type DeliveryStore, KEPT_MS, type Lane } from '../../core/webhooks/ports.ts'
import { decodeCursor, encodeCursor } from '../job-cursor.ts'
import { readDelivery, readPending } from '../read-delivery.ts'
import type { Database } from './database.ts'

export interface LocalDeliveryStore extends DeliveryStore {
  /** Gives up every claim at once. For the host at its start, which knows (lock.ts) that who held them is dead. */
  releaseAll(): Promise<void>
}

/** The delivery log in the database of a data folder. */
export function createDeliveryStore(db: Database, clock: Clock = Date.now): LocalDeliveryStore {
  const q = statements(db)

  function add(delivery: Delivery): 'added' | 'repeated' | 'disabled' {
    const { tenant, id, lane, version, status, createdAt } = delivery
    const now = clock()
    purge(now)
    if (q.select.get(tenant, id)) return 'repeated'
    const pending = status === 'PENDING'
    if (pending && q.lane.get(tenant, lane)?.disabled === 1) return 'disabled'
    q.insert.run(tenant, id, lane, version, status, createdAt, JSON.stringify(delivery))
    if (pending) q.wake.run(tenant, lane, now)
    return 'added'
  }

  function purge(now: number): void {
    q.purge.run(now - KEPT_MS)
    q.purgeLanes.run()
  }

  function update(before: Delivery, next: Delivery): 'updated' | 'lost' | 'gone' {
    const { tenant, id, version, status, lane } = next
    const { changes } = q.update.run(version, status, JSON.stringify(next), tenant, id, version - 1)
    if (changes === 0) return q.select.get(tenant, id) ? 'lost' : 'gone'
    if (before.status !== 'PENDING' && status === 'PENDING') q.reopen.run(tenant, lane, clock())
    return 'updated'
  }

  function release({ tenant, lane, version }: Lane, next: number | 'idle' | 'disabled'): void {
    const pending = q.head.get(tenant, lane) !== undefined
    if (pending) q.settle.run(typeof next === 'number' ? next : clock(), 0, tenant, lane, version)
    else if (next === 'disabled') q.settle.run(clock(), 1, tenant, lane, version)
    else q.dropLane.run(tenant, lane, version)
  }

  const list: DeliveryStore['list'] = async (tenant, { cursor, limit }) => {
    const before = cursor === undefined ? NEWEST : decodeCursor(tenant, cursor).jobId
    // One more than asked for tells whether there is another page.
    const rows = db.read(() => q.page.all(tenant, before, limit + 1))
    const deliveries = rows.slice(0, limit).map(({ body }) => readDelivery(body))
    const last = deliveries.at(-1)
    if (rows.length <= limit || !last) return { deliveries }
    return { deliveries, cursor: encodeCursor(tenant, { createdAt: last.createdAt, jobId: last.id }) }
  }

  return {
    list,
    async add(delivery) {
      return db.transaction(() => add(delivery))
    },
    async get(tenant, id) {
      const row = db.read(() => q.select.get(tenant, id))
      return row && readDelivery(row.body)
    },
    async due(now, limit) {
      return db.read(() => q.due.all(now, limit)).map(laneOf)
    },
    async claim(lane, until) {
      const { changes } = db.read(() => q.claim.run(until, lane.tenant, lane.lane, lane.version))
      return changes === 1 ? { ...lane, version: lane.version + 1, nextAt: until } : undefined
    },
    async head({ tenant, lane }) {
      const row = db.read(() => q.head.get(tenant, lane))
      return row && readPending(row.body)
    },
    async update(before, next) {
      return db.transaction(() => update(before, next))
    },
    async release(lane, next) {
      db.transaction(() => release(lane, next))
    },
    async forget(tenant, lane) {
      db.transaction(() => {
        q.erase.run(tenant, startOfLane(lane), endOfLane(lane))
        q.eraseLane.run(tenant, lane)
      })
    },
    async releaseAll() {
      db.read(() => q.releaseAll.run(clock()))
    },
  }
}

/** Above every id. */
const NEWEST = '~'

const laneOf = (row: Record<string, unknown>): Lane => ({
  tenant: String(row.tenant),
  lane: String(row.lane),
  version: Number(row.version),
  nextAt: Number(row.next_at),
  // The index of pending deliveries needs no hint.
  from: startOfLane(String(row.lane)),
})

function statements({ sql }: Database) {
  const ofLane = 'WHERE tenant = ? AND lane = ?'
  // A lane that comes back has a version that no claim on the one before can have.
  const intoLanes = 'INSERT INTO lanes (tenant, lane, version, next_at) VALUES (?1, ?2, ?3, ?3)'
  return {
    select: sql.prepare('SELECT body FROM deliveries WHERE tenant = ? AND id = ?'),
    insert: sql.prepare(
      'INSERT INTO deliveries (tenant, id, lane, version, status, created_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    update: sql.prepare(
      'UPDATE deliveries SET version = ?, status = ?, body = ? WHERE tenant = ? AND id = ? AND version = ?',
    ),
    page: sql.prepare('SELECT body FROM deliveries WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?'),
    head: sql.prepare(`SELECT body FROM deliveries ${ofLane} AND status = 'PENDING' ORDER BY id LIMIT 1`),
    purge: sql.prepare("DELETE FROM deliveries WHERE status <> 'PENDING' AND created_at < ?"),
    erase: sql.prepare('DELETE FROM deliveries WHERE tenant = ? AND id > ? AND id < ?'),

    lane: sql.prepare(`SELECT disabled FROM lanes ${ofLane}`),
    wake: sql.prepare(`${intoLanes} ON CONFLICT DO NOTHING`),
    reopen: sql.prepare(
      `${intoLanes} ON CONFLICT DO UPDATE SET next_at = excluded.next_at, disabled = 0, version = version + 1`,
    ),
    due: sql.prepare('SELECT * FROM lanes WHERE disabled = 0 AND next_at <= ? ORDER BY next_at LIMIT ?'),
    claim: sql.prepare(
      `UPDATE lanes SET next_at = ?, version = version + 1 ${ofLane} AND version = ? AND disabled = 0`,
    ),
    settle: sql.prepare(`UPDATE lanes SET next_at = ?, disabled = ? ${ofLane} AND version = ?`),
    dropLane: sql.prepare(`DELETE FROM lanes ${ofLane} AND version = ?`),
    eraseLane: sql.prepare(`DELETE FROM lanes ${ofLane}`),
    purgeLanes: sql.prepare(
      `DELETE FROM lanes WHERE disabled = 1 AND NOT EXISTS
         (SELECT 1 FROM deliveries d WHERE d.tenant = lanes.tenant AND d.lane = lanes.lane)`,
    ),
    releaseAll: sql.prepare('UPDATE lanes SET next_at = ?1 WHERE disabled = 0 AND next_at > ?1'),
  }
}
