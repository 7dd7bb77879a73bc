import { execFileSync } from 'node:child_process'
import { liveHandler } from '../../lambdas/events/live.ts'
import { onUploadHandler } from '../../lambdas/events/on-upload.ts'
import type { SqsHandler } from '../../lambdas/events/sqs.ts'
import { workHandler } from '../../lambdas/events/work.ts'
import { createSoundReader } from '../../lib/adapters/audio/sound-reader.ts'
import { createQueue } from '../../lib/adapters/local/queue.ts'
import { createSessionStore } from '../../lib/adapters/local/session-store.ts'
import { noteSpeaker, takeChunk } from '../../lib/core/live/1-chunk.ts'
import { closeIdle, closeSession } from '../../lib/core/live/8-close.ts'
import type { AdvancePorts } from '../../lib/core/live/advance.ts'
import type { Sink } from '../../lib/core/live/ports.ts'
import type { LiveSegment } from '../../lib/core/live/segment.ts'
import { LIVE_DEFAULTS, type LiveSettings } from '../../lib/core/live/settings.ts'
import type { Engine, Queue } from '../../lib/core/ports.ts'
import type { SessionRef } from '../../lib/core/session.ts'
import { createPorts, START } from './ports.ts'

const REF: SessionRef = { tenant: 'acme', sessionId: 'standup' }
const VISIBILITY_MS = 60_000

export interface LaneOptions {
  readonly engine: Engine
  readonly sinks?: readonly Sink[]
  readonly settings?: Partial<LiveSettings>
}

/**
 * The live lane with the real local adapters on a clock that stands until a test moves it: thinking takes no time. What
 * the hosts do (queues, ticks) is done by `run`. Times are ms since the lane's beginning.
 */
export async function createLane({ engine, sinks = [], settings = {} }: LaneOptions) {
  const base = await createPorts({ heartbeatMs: 1000 })
  const { db, time, clock } = base
  const live = createQueue(db, 'live', { maxReceives: 20, backoffMs: () => 0 }, clock)
  let posts = 0
  const ports: AdvancePorts = {
    ...{ ...base, engine, sinks, live },
    sessions: createSessionStore(db, { keepMs: 86_400_000, clock }),
    sound: createSoundReader({ decoder: base.decoder, scratchDir: base.scratchDir }),
    liveSettings: { ...LIVE_DEFAULTS, ...settings },
    newPostId: () => String(++posts),
  }
  const seen = new Map<number, { atMs: number; segment: LiveSegment }>()
  const drafted: Array<{ atMs: number; drafts: readonly LiveSegment[] }> = []

  /** Hands waiting messages to their handler while the clock stands; what fails waits until it has moved. */
  async function drain(queue: Queue, name: string, handler: SqsHandler): Promise<boolean> {
    let any = false
    for (;;) {
      const [message] = await queue.receive({ max: 1, visibilityMs: VISIBILITY_MS, waitMs: 0 })
      if (!message) return any
      any = true
      const { messageId, receipt, body } = message
      const record = { messageId, receiptHandle: receipt, body, eventSourceARN: name }
      const { batchItemFailures } = await handler({ Records: [record] } as never)
      if (batchItemFailures.length === 0) {
        await queue.remove(receipt)
        continue
      }
      await queue.extend(receipt, 0)
      return false
    }
  }

  /** A process that has died answers nothing, and so nothing is given back either. */
  const dying =
    (handler: SqsHandler, isDead: () => boolean): SqsHandler =>
    async (event) => {
      const reply = await handler(event)
      if (isDead()) throw new Error('killed')
      return reply
    }

  async function run(using: AdvancePorts = ports, isDead = () => false): Promise<void> {
    const never = new AbortController().signal
    const batch = { ...base, ...using, settings: base.settings }
    for (let any = true; any; ) {
      any = await drain(live, 'live', dying(liveHandler(using, { drain: never }), isDead))
      any = (await drain(base.uploads, 'uploads', onUploadHandler(batch))) || any
      any = (await drain(base.work, 'work', workHandler(batch, { worker: 'lane', drain: never }))) || any
    }
    await look()
  }

  async function look(): Promise<void> {
    const atMs = clock() - START
    for (const segment of await finals()) if (!seen.has(segment.id)) seen.set(segment.id, { atMs, segment })
    const state = await ports.sessions.live(REF)
    if (state) drafted.push({ atMs, drafts: state.drafts })
  }

  const finals = () => ports.sessions.segments(REF, { limit: 1000 })

  return {
    ...{ ref: REF, ports, base, run, finals, drafted },
    /** When each final was first seen, in order of id. */
    seen: () => [...seen.values()].sort((a, b) => a.segment.id - b.segment.id),
    session: () => ports.sessions.get(REF),
    state: () => ports.sessions.live(REF),
    at: (ms: number) => {
      time.now = START + ms
    },
    nowMs: () => clock() - START,
    post: (bytes: Uint8Array, seq?: number, contentType = 'audio/webm') =>
      takeChunk(ports)(REF, { bytes, contentType, ...(seq !== undefined && { seq }) }),
    name: (name: string, atMs?: number) =>
      noteSpeaker(ports)(REF, name, atMs === undefined ? undefined : START + atMs),
    close: () => closeSession(ports)(REF),
    tick: () => closeIdle(ports)(),
    /** Does things at their times, and what the hosts do in between. */
    async play(script: readonly Cue[]): Promise<void> {
      for (const { atMs, act } of [...script].sort((a, b) => a.atMs - b.atMs)) {
        time.now = Math.max(time.now, START + atMs)
        await act()
        await run()
      }
    },
    /** Closes the session and waits until all of it has gone through the batch lane. */
    async finish(): Promise<void> {
      await closeSession(ports)(REF)
      for (let tries = 0; tries < 20; tries++) {
        await run()
        if ((await ports.sessions.get(REF))?.state === 'CLOSED') return
        time.now += 1000
        await closeIdle(ports)()
      }
      throw new Error('the session was not closed')
    },
    dispose: () => base.dispose(),
  }
}

export type Lane = Awaited<ReturnType<typeof createLane>>

export interface Cue {
  readonly atMs: number
  readonly act: () => unknown
}

/** A stream as a browser's recorder makes it: WebM with Opus, its header at the beginning only. */
export function webmOf(pcm16: Int16Array, ...more: string[]): Buffer {
  const from = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', 'pipe:0']
  const to = ['-c:a', 'libopus', '-b:a', '32k', '-vbr', 'off', ...more, '-f', 'webm', '-live', '1', 'pipe:1']
  const input = Buffer.from(pcm16.buffer, pcm16.byteOffset, pcm16.byteLength)
  return execFileSync('ffmpeg', ['-v', 'error', ...from, ...to], { input, maxBuffer: 2 ** 28 })
}

/** A stream cut anywhere into chunks of about `chunkMs`, with the time at which the last byte of each is there. */
export function cutStream(stream: Buffer, durationMs: number, chunkMs: number, random: () => number) {
  const chunks: Array<{ bytes: Buffer; untilMs: number }> = []
  let from = 0
  for (let ms = chunkMs; from < stream.length; ms += chunkMs) {
    const exact = (stream.length * ms) / durationMs
    const to =
      ms >= durationMs ? stream.length : Math.min(stream.length, Math.round(exact + (random() - 0.5) * 1200))
    if (to <= from) continue
    chunks.push({ bytes: stream.subarray(from, to), untilMs: Math.min(ms, durationMs) })
    from = to
  }
  return chunks
}
