import * as z from 'zod'
import { VerbatimError } from '../../core/errors.ts'
import type { JobRef } from '../../core/keys.ts'
import type { ShardEnd, ShardStore, ShardTally } from '../../core/ports.ts'
import { checkEnd, EMPTY_TALLY, readTally } from '../read-tally.ts'
import type { Database } from './database.ts'

/** The tally, and how many attempts at each shard have failed. */
interface Counted {
  readonly tally: ShardTally
  readonly failures: Readonly<Record<string, number>>
}

/** Tallies in the database of a data folder: a row for each job, read and written again in one transaction. */
export function createShardStore(db: Database): ShardStore {
  const q = statements(db)

  function read({ tenant, jobId }: JobRef): Counted | undefined {
    const row = q.select.get(tenant, jobId)
    return row && readCounted(row.body)
  }

  function write({ tenant, jobId }: JobRef, counted: Counted): void {
    q.upsert.run(tenant, jobId, JSON.stringify(counted))
  }

  function begin(ref: JobRef): ShardTally {
    const there = read(ref)
    if (there) return there.tally
    write(ref, { tally: EMPTY_TALLY, failures: {} })
    return EMPTY_TALLY
  }

  function end(ref: JobRef, ended: ShardEnd): ShardTally | undefined {
    const there = read(ref)
    if (!there || there.tally.ended.includes(ended.shard)) return there?.tally
    const tally = withEnd(there.tally, ended)
    write(ref, { ...there, tally })
    return tally
  }

  function fail(ref: JobRef, shard: number): number | undefined {
    const there = read(ref)
    if (!there) return undefined
    const count = (there.failures[shard] ?? 0) + 1
    write(ref, { ...there, failures: { ...there.failures, [shard]: count } })
    return count
  }

  return {
    async begin(ref) {
      return db.transaction(() => begin(ref))
    },
    async read(ref) {
      return db.read(() => read(ref)?.tally)
    },
    async end(ref, ended) {
      checkEnd(ended)
      return db.transaction(() => end(ref, ended))
    },
    async fail(ref, shard) {
      return db.transaction(() => fail(ref, shard))
    },
    async remove({ tenant, jobId }) {
      db.transaction(() => q.erase.run(tenant, jobId))
    },
  }
}

function withEnd(tally: ShardTally, { shard, failed: code, ...times }: ShardEnd): ShardTally {
  return {
    ended: [...tally.ended, shard],
    audioMs: tally.audioMs + times.audioMs,
    workMs: tally.workMs + times.workMs,
    engineMs: tally.engineMs + times.engineMs,
    failed: code === undefined ? tally.failed : [...tally.failed, { shard, code }],
  }
}

function statements({ sql }: Database) {
  return {
    select: sql.prepare('SELECT body FROM tallies WHERE tenant = ? AND job_id = ?'),
    upsert: sql.prepare(
      `INSERT INTO tallies (tenant, job_id, body) VALUES (?, ?, ?)
       ON CONFLICT (tenant, job_id) DO UPDATE SET body = excluded.body`,
    ),
    erase: sql.prepare('DELETE FROM tallies WHERE tenant = ? AND job_id = ?'),
  }
}

const Stored = z.object({ tally: z.unknown(), failures: z.record(z.string(), z.int()) })

function readCounted(body: unknown): Counted {
  try {
    const { tally, failures } = Stored.parse(JSON.parse(String(body)))
    return { tally: readTally(tally), failures }
  } catch (cause) {
    if (cause instanceof VerbatimError) throw cause
    throw new VerbatimError('internal', 'A stored tally cannot be read.', { cause })
  }
}
