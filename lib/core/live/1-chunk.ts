import { VerbatimError } from '../errors.ts'
import { chunkKey } from '../keys.ts'
import type { Chunk, Session, SessionRef, SpeakerEvent } from '../session.ts'
import { changeSession } from './change.ts'
import type { LiveMessage } from './messages.ts'
import type { LivePorts } from './ports.ts'

export interface PostedChunk {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** Left out: the next one, in order of arrival. */
  readonly seq?: number
  readonly language?: string
}

type ChunkPorts = Pick<LivePorts, 'sessions' | 'objects' | 'live' | 'clock' | 'liveSettings' | 'newPostId'>

/**
 * Takes a chunk of a session, which begins with its first chunk. When this resolves, the chunk is durable; one that was
 * posted before changes nothing. Fails with `too-large` and `session-closed`.
 */
export const takeChunk =
  (ports: ChunkPorts) =>
  async (
    ref: SessionRef,
    posted: PostedChunk,
  ): Promise<{ readonly seq: number; readonly repeated: boolean }> => {
    const { maxChunkBytes } = ports.liveSettings
    if (posted.bytes.length > maxChunkBytes) {
      throw new VerbatimError('too-large', `A chunk may have ${maxChunkBytes} bytes.`, {
        hint: 'Post shorter chunks, about 3 seconds each.',
      })
    }
    await openSession(ports, ref, posted.language)
    const taken = await store(ports, ref, posted)
    // Also for a repeated one: the message of the first time may never have been sent.
    await announce(ports, ref, `chunk-${taken.post}`)
    return { seq: taken.seq, repeated: taken.repeated }
  }

/** The session, begun now if there is none. Fails with `session-closed` once it takes nothing more. */
async function openSession(
  { sessions, clock }: Pick<LivePorts, 'sessions' | 'clock'>,
  ref: SessionRef,
  language?: string,
): Promise<Session> {
  const now = clock()
  const opened = await sessions.open({
    ...{ tenant: ref.tenant, sessionId: ref.sessionId, version: 1, state: 'OPEN', revision: 1 },
    ...{ createdAt: now, updatedAt: now, ...(language !== undefined && { language }) },
  })
  // A name may have opened it, before a chunk said the language.
  const late = language !== undefined && opened.session.language === undefined
  const session = late ? await changeSession({ sessions, clock }, ref, setLanguage(language)) : opened.session
  if (session?.state !== 'OPEN') {
    throw new VerbatimError('session-closed', 'This session has been closed and takes nothing more.')
  }
  return session
}

const setLanguage = (language: string) => (session: Session) =>
  session.state === 'OPEN' && session.language === undefined ? { language } : undefined

async function store(ports: ChunkPorts, ref: SessionRef, posted: PostedChunk) {
  const { sessions, objects, clock, newPostId } = ports
  const numbered = posted.seq !== undefined
  for (let seq = posted.seq ?? (await nextSeq(ports, ref)); ; seq++) {
    const chunk: Chunk = {
      ...{ seq, post: newPostId(), sizeBytes: posted.bytes.length, contentType: posted.contentType },
      arrivedAt: clock(),
    }
    // A look first, so that a repeated chunk costs no write.
    if (!(await isThere(ports, ref, seq))) {
      // Bytes before the record: a record without bytes would be a promise that is not kept.
      await objects.put(chunkKey(ref, chunk), posted.bytes, posted.contentType)
      if ((await sessions.addChunk(ref, chunk)) === 'added') return { seq, post: chunk.post, repeated: false }
      await objects.remove([chunkKey(ref, chunk)])
    }
    if (numbered) return { seq, post: chunk.post, repeated: true }
  }
}

async function nextSeq({ sessions }: ChunkPorts, ref: SessionRef): Promise<number> {
  const last = await sessions.lastChunk(ref)
  return last ? last.seq + 1 : 0
}

async function isThere({ sessions }: ChunkPorts, ref: SessionRef, seq: number): Promise<boolean> {
  const [chunk] = await sessions.chunks(ref, { from: seq, limit: 1 })
  return chunk?.seq === seq
}

/** Tells the workers that a session has something new. */
export async function announce(
  { live }: Pick<LivePorts, 'live'>,
  { tenant, sessionId }: SessionRef,
  dedupe: string,
): Promise<void> {
  const group = `${tenant}/${sessionId}`
  await live.send(JSON.stringify({ tenant, sessionId } satisfies LiveMessage), {
    ...{ group, dedupe: `${group}/${dedupe}` },
  })
}

/** A time later than this from now is that of a clock that is wrong. */
const AHEAD_MS = 1_000

/** From now on, or from `at` on, this person speaks. A name may come before any sound. */
export const noteSpeaker =
  (ports: Pick<LivePorts, 'sessions' | 'clock'>) =>
  async (ref: SessionRef, name: string, at?: number): Promise<void> => {
    await openSession(ports, ref)
    const arrivedAt = ports.clock()
    const given = at !== undefined && at <= arrivedAt + AHEAD_MS
    const event: SpeakerEvent = { name, at: given ? at : arrivedAt, arrivedAt, given }
    await ports.sessions.addSpeaker(ref, event)
  }
