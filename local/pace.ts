import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Database } from '../lib/adapters/local/database.ts'
import type { Clock } from '../lib/core/ports.ts'
import type { Pace } from '../lib/core/settings.ts'

export interface PaceOptions {
  /** The data folder. */
  readonly data: string
  /** Shards that are heard at once. */
  readonly workers: number
  /** All that decides how fast a worker is: jobs that were done with anything else are not looked at. */
  readonly speedOf: unknown
  readonly clock?: Clock
}

/** Less speech than this tells more about starting than about hearing. */
const LEAST_MS = 10_000
const JOBS = 20
/** Where a service is asked often and completes little, no more rows than this are read for each question. */
const ROWS = 200

/** How fast this service was with its last jobs; undefined before the first. Nothing is cold, and nothing has a price. */
export function createPace(
  db: Database,
  { data, workers, speedOf, clock = Date.now }: PaceOptions,
): () => Promise<Pace | undefined> {
  const since = sinceWhen(join(data, 'pace.json'), JSON.stringify(speedOf), clock)
  const query = db.sql.prepare(`
    SELECT sum(audio) AS audioMs, sum(work) AS workMs FROM (
      SELECT body ->> '$.usage.audioMs' AS audio, body ->> '$.usage.workMs' AS work
      FROM (SELECT rowid AS n, status, body FROM jobs ORDER BY rowid DESC LIMIT ${ROWS})
      WHERE status = 'COMPLETED' AND body ->> '$.startedAt' >= ? AND audio >= ${LEAST_MS}
      ORDER BY n DESC LIMIT ${JOBS})`)
  return async () => {
    const { audioMs, workMs } = Sums.parse(db.read(() => query.get(since)))
    if (!audioMs || !workMs) return undefined
    return { workPerAudio: workMs / audioMs, workers, startMs: 0 }
  }
}

const Sums = z.object({ audioMs: z.number().nullable(), workMs: z.number().nullable() })
const Remembered = z.object({ speedOf: z.string(), since: z.int() })

/** Since when the service has run as it does, restarts not counted; kept in a file, which is made anew when it is not so. */
function sinceWhen(file: string, speedOf: string, clock: Clock): number {
  const remembered = remember(file)
  if (remembered?.speedOf === speedOf) return remembered.since
  const since = clock()
  writeFileSync(file, JSON.stringify({ speedOf, since }), { mode: 0o600 })
  return since
}

function remember(file: string): z.infer<typeof Remembered> | undefined {
  try {
    return Remembered.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}
