import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDecoder } from '../../lib/adapters/audio/decoder.ts'
import { findFfmpeg } from '../../lib/adapters/audio/ffmpeg.ts'
import { soundPacker } from '../../lib/adapters/audio/pack.ts'
import { env } from '../../lib/adapters/env.ts'
import { openDatabase } from '../../lib/adapters/local/database.ts'
import { createDeliveryStore } from '../../lib/adapters/local/delivery-store.ts'
import { createJobStore } from '../../lib/adapters/local/job-store.ts'
import { createObjectStore } from '../../lib/adapters/local/object-store.ts'
import { createPresigner } from '../../lib/adapters/local/presign.ts'
import { createQueue } from '../../lib/adapters/local/queue.ts'
import { loadSecret } from '../../lib/adapters/local/secret.ts'
import { createShardStore } from '../../lib/adapters/local/shard-store.ts'
import { createTokenStore } from '../../lib/adapters/local/token-store.ts'
import { createLog } from '../../lib/adapters/log.ts'
import type { Decoder } from '../../lib/core/ports.ts'
import { type BatchSettings, DEFAULT_SETTINGS } from '../../lib/core/settings.ts'
import { createScriptedEngine } from './scripted-engine.ts'

/** The clock's first time: a whole second, so that it reads well in ISO 8601. */
export const START = Date.UTC(2026, 0, 1)

/**
 * The real local adapters in a folder of their own, as local/compose.ts wires them, with a clock that stands until a
 * test moves it. Only the engine is scripted. Timers (heartbeats) run on real time, so they are short here.
 */
export async function createPorts(settings: Partial<BatchSettings> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'verbatim-ports-'))
  const scratchDir = join(dataDir, 'scratch')
  const db = openDatabase(dataDir)
  const time = { now: START }
  const clock = () => time.now
  const presigner = createPresigner(loadSecret(dataDir), () => 'http://store.test', clock)
  const events = { prefix: 'uploads/', queue: 'uploads' }
  const queue = (name: string) =>
    createQueue(db, name, { maxReceives: 20, deadLetterQueue: 'dead', backoffMs: () => 0 }, clock)
  const logLines: string[] = []
  let made = 0
  const ports = {
    ...{ dataDir, scratchDir, db, time, clock, logLines },
    settings: { ...DEFAULT_SETTINGS, heartbeatMs: 3, ...settings } as BatchSettings,
    jobs: createJobStore(db, clock),
    objects: createObjectStore(db, { dataDir, presigner, events, clock }),
    ...{ tokens: createTokenStore(db), shards: createShardStore(db), packer: soundPacker },
    deliveries: createDeliveryStore(db, clock),
    ...{ uploads: queue('uploads'), work: queue('work'), shardWork: queue('shards') },
    ...counting(createDecoder({ ffmpeg: await findFfmpeg({ searchPath: env().PATH }), scratchDir })),
    engine: createScriptedEngine(),
    log: createLog({ level: 'info', write: (line) => logLines.push(line), clock }),
    newJobId: () => `01JD${String(++made).padStart(22, '0')}`,
    about: { version: '1.2.3', model: 'scripted' },
    /** What lies in a queue, claimed or not. */
    pending: (name: string): unknown[] =>
      db.sql
        .prepare('SELECT body FROM messages WHERE queue = ? ORDER BY seq')
        .all(name)
        .map(({ body }) => JSON.parse(String(body))),
    /** For beforeEach, where the tests of a file share one folder: what one test did is no other's concern. */
    reset(): void {
      time.now = START
      db.sql.exec('DELETE FROM messages')
      logLines.length = 0
      ports.engine = createScriptedEngine()
    },
    async dispose(): Promise<void> {
      db.close()
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return ports
}

/** A decoder, and how many of its recordings are held: their files have no names that could be looked for. */
function counting(real: Decoder) {
  let held = 0
  const decoder: Decoder = {
    async decode(path, options) {
      const recording = await real.decode(path, options)
      held++
      const dispose = () => {
        held--
        return recording.dispose()
      }
      return { ...recording, dispose }
    },
  }
  return { decoder, heldRecordings: () => held }
}

export type TestPorts = Awaited<ReturnType<typeof createPorts>>

/** The same store, but its next `times` calls of `method` for which `applies` holds throw `error` and do nothing. */
export function failing<T extends object, M extends keyof T>(
  store: T,
  method: M,
  error: unknown,
  { times = 1, applies = () => true }: { times?: number; applies?: (...args: never[]) => boolean } = {},
): T {
  let left = times
  const real = store[method] as (...args: never[]) => Promise<unknown>
  const broken = async (...args: never[]) => {
    if (!applies(...args) || left-- <= 0) return real(...args)
    throw error
  }
  return { ...store, [method]: broken }
}

/** The same store, but somebody else acts right before its first call of `method` for which `applies` holds. */
export function preceded<T extends object, M extends keyof T>(
  store: T,
  method: M,
  act: () => Promise<unknown>,
  applies: (...args: never[]) => boolean = () => true,
): T {
  let first = true
  const real = store[method] as (...args: never[]) => Promise<unknown>
  const late = async (...args: never[]) => {
    if (first && applies(...args)) {
      first = false
      await act()
    }
    return real(...args)
  }
  return { ...store, [method]: late }
}

/** Asks again, a little later, until there is an answer. */
export async function eventually<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 5000; tries++) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  throw new Error('waited in vain')
}
