import type { SessionStore, Sink } from '../../core/live/ports.ts'
import { publishedSegment } from '../../core/live/published.ts'
import type { LiveSegment } from '../../core/live/segment.ts'
import type { Session, SessionRef } from '../../core/session.ts'
import { APPEND } from './redis-append.ts'
import { connectRedis, type RedisConnectionOptions } from './redis-connection.ts'
import { checkPrefix, ownerKey, segmentsKey } from './redis-key.ts'

/** Finals that go into one script: it holds Redis up for some ms at most. */
const PAGE = 100

export interface RedisSinkOptions extends RedisConnectionOptions {
  /** redis:// or rediss:// */
  readonly url: string
  /** Stands in front of every key. */
  readonly prefix?: string
  /** How long the list stays after the last final. */
  readonly ttlMs: number
  /** Where finals are read again when Redis has lost them. */
  readonly sessions: Pick<SessionStore, 'segments'>
}

export interface RedisSink extends Sink {
  /** Forgets the session's list. */
  remove(ref: SessionRef): Promise<void>
  close(): void
}

/**
 * Finals as a Redis list, `LRANGE segments_transcribe:<session id> 0 -1`: element n is final n, each once, however
 * often and by however many workers it is pushed. A list that Redis has lost (restart, expiry, eviction) is written
 * again from its beginning at the next final. A final that was revised is replaced in its place when it is published
 * again.
 */
export function createRedisSink(options: RedisSinkOptions): RedisSink {
  const { url, ttlMs, sessions } = options
  const prefix = checkPrefix(options.prefix ?? '')
  const redis = connectRedis(url, options)

  /** Gives the length of the list. */
  async function push(session: Session, finals: readonly LiveSegment[], zeroAt: number): Promise<number> {
    const key = segmentsKey(prefix, session)
    const values = finals.flatMap((final) => [
      String(final.revision),
      JSON.stringify(publishedSegment(session, final, zeroAt)),
    ])
    const args = [String(session.createdAt), String(ttlMs), String(finals[0]!.id), ...values]
    return Number(await redis.run(APPEND, [key, ownerKey(key)], args))
  }

  /** Pushes finals `from` up to, not including, `to`, as the store has them. */
  async function pushStored(session: Session, from: number, to: number, zeroAt: number): Promise<void> {
    for (let next = from; next < to; ) {
      const query = { ...(next > 0 && { after: next - 1 }), limit: Math.min(PAGE, to - next) }
      const finals = await sessions.segments(session, query)
      // Erased in the meantime.
      if (finals.length === 0) return
      next = Math.min(finals.at(-1)!.id + 1, await push(session, finals, zeroAt))
    }
  }

  return {
    name: 'redis',
    async publish(session, segments, zeroAt) {
      for (let done = 0; done < segments.length; done += PAGE) {
        const page = segments.slice(done, done + PAGE)
        const length = await push(session, page, zeroAt)
        if (length >= page[0]!.id) continue
        await pushStored(session, length, page[0]!.id, zeroAt)
        await push(session, page, zeroAt)
      }
    },
    async remove(ref) {
      const key = segmentsKey(prefix, ref)
      await redis.remove([key, ownerKey(key)])
    },
    close: () => redis.close(),
  }
}
