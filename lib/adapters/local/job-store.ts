import { VerbatimError } from '../../core/errors.ts'
import { Job } from '../../core/job.ts'
import type { Clock, CreateOutcome, JobStore, ReplaceOutcome } from '../../core/ports.ts'
import { decodeCursor, encodeCursor } from '../job-cursor.ts'
import type { Database } from './database.ts'

/** The port asks for at least 24 hours. */
const IDEMPOTENCY_MS = 24 * 60 * 60 * 1000

/** Jobs in the database of a data folder. */
export function createJobStore(db: Database, clock: Clock = Date.now): JobStore {
  const q = statements(db)

  function create(job: Job, idempotency?: { key: string; fingerprint: string }): CreateOutcome {
    const now = clock()
    q.purgeKeys.run(now - IDEMPOTENCY_MS)
    const earlier = idempotency && q.selectKey.get(job.tenant, idempotency.key)
    if (earlier) {
      return { outcome: 'repeated', jobId: String(earlier.job_id), fingerprint: String(earlier.fingerprint) }
    }
    q.insert.run(job.tenant, job.jobId, job.version, job.status, job.createdAt, JSON.stringify(job))
    if (idempotency) q.insertKey.run(job.tenant, idempotency.key, idempotency.fingerprint, job.jobId, now)
    return { outcome: 'created' }
  }

  function replace(next: Job): ReplaceOutcome {
    const { tenant, jobId, version, status } = next
    const { changes } = q.update.run(version, status, JSON.stringify(next), tenant, jobId, version - 1)
    if (changes === 1) return { outcome: 'replaced' }
    const current = q.select.get(tenant, jobId)
    return current ? { outcome: 'lost', current: readJob(current.body) } : { outcome: 'gone' }
  }

  const list: JobStore['list'] = async (tenant, { status, cursor, limit }) => {
    const { createdAt, jobId } = cursor ? decodeCursor(tenant, cursor) : NEWEST
    // One more than asked for tells whether there is another page.
    const rows = db.read(() =>
      status
        ? q.pageOfStatus.all(tenant, status, createdAt, jobId, limit + 1)
        : q.page.all(tenant, createdAt, jobId, limit + 1),
    )
    const jobs = rows.slice(0, limit).map((row) => readJob(row.body))
    const last = jobs.at(-1)
    return rows.length > limit && last ? { jobs, cursor: encodeCursor(tenant, last) } : { jobs }
  }

  return {
    list,
    async create(job, idempotency) {
      return db.transaction(() => create(job, idempotency))
    },
    async get(tenant, jobId) {
      const row = db.read(() => q.select.get(tenant, jobId))
      return row && readJob(row.body)
    },
    async replace(next) {
      return db.transaction(() => replace(next))
    },
    async remove(tenant, jobId) {
      // The idempotency key goes with the job (ON DELETE CASCADE).
      return db.transaction(() => q.erase.run(tenant, jobId).changes === 1)
    },
  }
}

/** A place before the newest job. */
const NEWEST = { createdAt: Number.MAX_SAFE_INTEGER, jobId: '' }

function statements({ sql }: Database) {
  const older = '(created_at, job_id) < (?, ?) ORDER BY created_at DESC, job_id DESC LIMIT ?'
  return {
    insert: sql.prepare(
      'INSERT INTO jobs (tenant, job_id, version, status, created_at, body) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    select: sql.prepare('SELECT body FROM jobs WHERE tenant = ? AND job_id = ?'),
    update: sql.prepare(
      'UPDATE jobs SET version = ?, status = ?, body = ? WHERE tenant = ? AND job_id = ? AND version = ?',
    ),
    erase: sql.prepare('DELETE FROM jobs WHERE tenant = ? AND job_id = ?'),
    page: sql.prepare(`SELECT body FROM jobs WHERE tenant = ? AND ${older}`),
    pageOfStatus: sql.prepare(`SELECT body FROM jobs WHERE tenant = ? AND status = ? AND ${older}`),
    insertKey: sql.prepare(
      'INSERT INTO idempotency (tenant, key, fingerprint, job_id, created_at) VALUES (?, ?, ?, ?, ?)',
    ),
    selectKey: sql.prepare('SELECT job_id, fingerprint FROM idempotency WHERE tenant = ? AND key = ?'),
    purgeKeys: sql.prepare('DELETE FROM idempotency WHERE created_at < ?'),
  }
}

/** A record that does not fit the schema is a fault of ours, never something to guess at. */
function readJob(body: unknown): Job {
  try {
    return Job.parse(JSON.parse(String(body)))
  } catch (cause) {
    // The cause names fields and codes; the values stay in the store.
    throw new VerbatimError('internal', 'A stored job cannot be read.', { cause })
  }
}
