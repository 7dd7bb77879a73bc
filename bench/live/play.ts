import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../client-cli/client.ts'
import type { LiveUpdate, Segment } from '../../client-cli/live/follow.ts'
import { nameSpeaker } from '../../test/support/live-client.ts'
import { randomFrom } from '../../test/support/random.ts'
import type { RunningService } from '../../test/support/service.ts'
import type { LiveRecording, TimedChunk } from './recording.ts'

/** A caption and when its reader had it, ms from the beginning of the sound. */
export interface Sighting {
  readonly atMs: number
  readonly segment: Segment
}

/** What the reader of one session's captions was told. */
export interface Seen {
  readonly drafts: readonly Sighting[]
  /** Each when it first came. */
  readonly finals: readonly Sighting[]
  /** Each as it stood in the end: a late name may have changed it. */
  readonly last: readonly Segment[]
}

export interface PlayOptions {
  readonly service: RunningService
  readonly client: Client
  readonly sessionId: string
  readonly recording: LiveRecording
  readonly chunks: readonly TimedChunk[]
  /** When its sound begins, epoch ms. */
  readonly beginMs: number
  /** Times as fast as people speak. */
  readonly speed: number
  /** Which names are lost. */
  readonly seed: number
}

/** Captions that are not there so long after the last chunk count as lost. */
const PATIENCE_MS = 120_000

/** One client: posts chunks as a recorder has them and names as a platform tells them, and reads the captions. */
export async function playSession(options: PlayOptions): Promise<Seen> {
  const { client, sessionId, chunks, beginMs, speed } = options
  const ended = new AbortController()
  const seen = createSeen()
  const follow = async () => {
    for await (const update of client.live.follow(sessionId, { signal: ended.signal }))
      seen.add(update, Date.now() - beginMs)
  }
  /** What goes on beside the posting; failures are told at its end. */
  const beside: Array<Promise<unknown>> = []
  const begin = (work: Promise<void>) => beside.push(work.catch((error: unknown) => error))
  if (speed === 1) begin(tellNames(options, ended.signal))
  try {
    for (const [seq, { bytes, untilMs }] of chunks.entries()) {
      await sleep(Math.max(0, beginMs + untilMs / speed - Date.now()))
      await client.live.send(sessionId, { seq, bytes, contentType: 'application/octet-stream' })
      if (seq === 0) begin(follow())
    }
    await settled(options, seen)
  } finally {
    ended.abort()
  }
  const failure = (await Promise.all(beside)).find((it) => it !== undefined && it !== ended.signal.reason)
  if (failure !== undefined) throw failure
  return seen
}

function createSeen() {
  const drafts: Sighting[] = []
  const finals: Sighting[] = []
  const last = new Map<number, Segment>()
  let drafting = 0
  return {
    ...{ drafts, finals },
    get last() {
      return [...last.values()].sort((a, b) => a.id - b.id)
    },
    drafting: () => drafting,
    add(update: LiveUpdate, atMs: number): void {
      if (update.what === 'drafts') {
        drafting = update.segments.length
        drafts.push(...update.segments.map((segment) => ({ atMs, segment })))
      } else if (update.what === 'final') {
        if (!last.has(update.segment.id)) finals.push({ atMs, segment: update.segment })
        last.set(update.segment.id, update.segment)
      }
    },
  }
}

/** Until all sound is heard and nothing is a draft any more, if that comes about. */
async function settled({ client, sessionId, recording }: PlayOptions, seen: { drafting(): number }) {
  const end = Date.now() + PATIENCE_MS
  while (Date.now() < end) {
    const { lagMs, durationMs } = await client.live.session(sessionId)
    if (lagMs === 0 && durationMs > recording.durationMs - 500 && seen.drafting() === 0) return
    await sleep(250)
  }
}

/** What the lane has to bear of a platform: names a second late, and one in ten lost. */
const NAMES_LATE_MS = 1_000
const NAMES_LOST = 0.1

/** Once a second, late and with losses, who spoke last: meeting platforms name nobody else in pauses. */
async function tellNames({ service, sessionId, recording, beginMs, seed }: PlayOptions, stop: AbortSignal) {
  const random = randomFrom(seed)
  for (let ms = random() * 1000; ms < recording.durationMs; ms += 1000) {
    const name = recording.sentences.findLast(({ startMs }) => startMs <= ms)?.voice
    const pauseMs = Math.max(0, beginMs + ms + NAMES_LATE_MS - Date.now())
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => {})
    if (stop.aborted) return
    if (name !== undefined && random() >= NAMES_LOST) await nameSpeaker(service, sessionId, name)
  }
}
