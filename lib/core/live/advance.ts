import type { Session, SessionRef } from '../session.ts'
import { orderChunks } from './2-order.ts'
import { takeSound } from './3-sound.ts'
import { type AskPorts, hearNext } from './ask.ts'
import { captionStep } from './caption.ts'
import { type FinishPorts, finishSession } from './finish.ts'
import type { LivePorts } from './ports.ts'
import { publishFinals } from './publish.ts'
import type { LiveSegment } from './segment.ts'
import { BEGINNING, type LiveState } from './state.ts'

export type AdvancePorts = LivePorts & FinishPorts & AskPorts

/** More sound than this is not taken in while so much is unheard: memory and state stay bounded. */
const MOST_UNHEARD_MS = 30_000
const CHUNKS_AT_ONCE = 40

/**
 * Brings a session as far as it can be brought now: takes in chunks, hears, settles, publishes, and finishes what has
 * been closed. Every step is one conditional write of all it has found, so it may be killed between any two and called
 * again by anyone. Errors that may pass are thrown, for the queue to come back later.
 */
export const advance =
  (ports: AdvancePorts) =>
  async (ref: SessionRef, signal: AbortSignal): Promise<void> => {
    for (;;) {
      signal.throwIfAborted()
      const session = await ports.sessions.get(ref)
      if (!session || session.state === 'CLOSED') return
      const live = (await ports.sessions.live(ref)) ?? BEGINNING
      if (live.done) return await finishSession(ports)(session, live)
      if (!(await step(ports, session, live, signal))) return
    }
  }

/** False: there is nothing to do for now. What the step before has made final is published first. */
async function step(
  ports: AdvancePorts,
  session: Session,
  live: LiveState,
  signal: AbortSignal,
): Promise<boolean> {
  const closing = session.state === 'CLOSING'
  const published = await publishFinals(ports)(session, live)
  const taken = await takeIn(ports, session, live, closing)
  const found = await hearNext(ports, session, taken, { closing, signal })
  const over = closing && !(await moreWaits(ports, session, taken))
  if (found) {
    const { state, segments } = await captionStep(ports, session, found, over)
    await write(ports, session, { ...state, published }, segments)
    return true
  }
  if (!over && taken === live) {
    if (published !== live.published) await write(ports, session, { ...live, published }, [])
    return false
  }
  const drafts = over ? [] : live.drafts.flatMap(({ words }) => words)
  const { state, segments } = await captionStep(ports, session, { live: taken, finals: [], drafts }, over)
  const settledSegment = over ? state.nextSegment : state.settledSegment
  await write(ports, session, { ...state, settledSegment, published, done: over }, segments)
  return true
}

/** Where it is lost, somebody else has made this step; what they wrote is looked at next. */
async function write(
  { sessions, clock }: AdvancePorts,
  session: Session,
  state: LiveState,
  segments: readonly LiveSegment[],
): Promise<void> {
  await sessions.commit(session, { ...state, step: state.step + 1, at: clock() }, segments)
}

/** The state with the chunks whose turn it is taken in as sound; the very same state when there is none. */
async function takeIn(
  ports: AdvancePorts,
  session: Session,
  live: LiveState,
  closing: boolean,
): Promise<LiveState> {
  const { ingest, hearing } = live
  if (ingest.endMs - hearing.settledMs > MOST_UNHEARD_MS && ingest.endMs > hearing.heardMs) return live
  const chunks = await ports.sessions.chunks(session, { from: ingest.nextSeq, limit: CHUNKS_AT_ONCE })
  const { missingMs } = ports.liveSettings
  const order = orderChunks(ingest, chunks, ports.clock(), { closing, missingMs })
  if (order.take.length === 0 && order.waitingSince === ingest.waitingSince) return live
  return { ...live, ingest: await takeSound(ports, session, ingest, order) }
}

async function moreWaits(
  { sessions }: AdvancePorts,
  session: Session,
  { ingest }: LiveState,
): Promise<boolean> {
  const chunks = await sessions.chunks(session, { from: ingest.nextSeq, limit: 1 })
  return chunks.length > 0
}
