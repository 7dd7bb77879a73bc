import type { Session, SessionRef } from '../session.ts'
import { sessionOf } from './10-read.ts'
import type { LivePorts } from './ports.ts'
import type { LiveSegment } from './segment.ts'
import { BEGINNING } from './state.ts'

/** What who follows a session is told. `id` is where to go on after a break. */
export type LiveEvent =
  /** A final: a new one, or one that has been revised. */
  | { readonly event: 'segment'; readonly id: string; readonly data: LiveSegment }
  /** All that is draft now, in place of all drafts before. */
  | { readonly event: 'drafts'; readonly id: string; readonly data: readonly LiveSegment[] }
  | { readonly event: 'session'; readonly id: string; readonly data: Pick<Session, 'state' | 'revision'> }
  /** Nothing is said for long: keeps the connection alive. */
  | { readonly event: 'ping' }

export interface FollowOptions {
  /** The id of the last event that arrived. */
  readonly lastId?: string | undefined
  /** Waits; false when the connection has ended. */
  readonly pause: (ms: number) => Promise<boolean>
  readonly pollMs: number
}

const PING_MS = 15_000
const AT_ONCE = 500

type FollowPorts = Pick<LivePorts, 'sessions' | 'clock'>

/**
 * All that happens in a session from its beginning, or from `lastId` on, until it is CLOSED. Finals come in order of
 * id, each once, and once more for each revision. Fails with `unknown-session`, also when it is erased meanwhile.
 */
export async function* follow(
  ports: FollowPorts,
  ref: SessionRef,
  { lastId, pause, pollMs }: FollowOptions,
): AsyncGenerator<LiveEvent, void> {
  const first = await sessionOf(ports, ref)
  const resumed = placeOf(first, lastId)
  let { after, revisions } = resumed
  let change = -1
  let shown = ''
  const sent = new Map<number, number>()
  let spokeAt = ports.clock()
  for (;;) {
    // Read in this order: whoever sees CLOSED has seen the last change.
    const session = await sessionOf(ports, ref)
    // Another one of the same name: who follows comes again, and gets it from its beginning.
    if (session.createdAt !== first.createdAt) return
    const live = (await ports.sessions.live(ref)) ?? BEGINNING
    const id = () => idOf(session, { revisions, after })
    if (live.change !== change) {
      const from = live.revisions === revisions ? after : -1
      for await (const segment of finals(ports, ref, from)) {
        const known = segment.id <= after ? (sent.get(segment.id) ?? 1) : 0
        if (segment.revision <= known) continue
        sent.set(segment.id, segment.revision)
        after = Math.max(after, segment.id)
        yield { event: 'segment', id: id(), data: segment }
      }
      // Only now: who breaks off amid revised segments gets all of them again.
      revisions = live.revisions
      change = live.change
      yield { event: 'drafts', id: id(), data: live.drafts.filter((draft) => draft.id > after) }
      spokeAt = ports.clock()
    }
    const state = `${session.state} ${session.revision}`
    if (state !== shown) {
      shown = state
      const last = session.state === 'CLOSED' ? ENDED : ''
      yield {
        ...{ event: 'session', id: `${id()}${last}` },
        data: { state: session.state, revision: session.revision },
      }
    }
    if (session.state === 'CLOSED') return
    if (ports.clock() - spokeAt >= PING_MS) {
      spokeAt = ports.clock()
      yield { event: 'ping' }
    }
    if (!(await pause(pollMs))) return
  }
}

async function* finals(
  { sessions }: FollowPorts,
  ref: SessionRef,
  from: number,
): AsyncGenerator<LiveSegment> {
  for (let after = from; ; ) {
    const page = await sessions.segments(ref, { after, limit: AT_ONCE })
    yield* page
    if (page.length < AT_ONCE) return
    after = page.at(-1)!.id
  }
}

interface Place {
  readonly revisions: number
  /** The last final; -1: none. */
  readonly after: number
}

const BEFORE_ALL: Place = { revisions: 0, after: -1 }

/** Ends the id of the last event of all. */
const ENDED = '.closed'

/**
 * `<session>.<revisions>.<last final>`. The session by its time of creation: where the last one of the same name ended
 * is no place in the next.
 */
const idOf = ({ createdAt }: Session, { revisions, after }: Place): string =>
  `${createdAt.toString(36)}.${revisions}.${after}`

/** Anything else than an id of this session is the beginning. */
function placeOf({ createdAt }: Session, lastId: string | undefined): Place {
  const [, name, revisions, after] =
    /^([0-9a-z]+)\.(\d{1,9})\.(-1|\d{1,9})(?:\.closed)?$/.exec(lastId ?? '') ?? []
  if (name !== createdAt.toString(36)) return BEFORE_ALL
  return { revisions: Number(revisions), after: Number(after) }
}

/** Who has had all there is of a closed session, by the id of the last event, need not follow it any more. */
export const hasAll = (session: Session, lastId: string | undefined): boolean =>
  session.state === 'CLOSED' &&
  lastId !== undefined &&
  lastId.startsWith(`${session.createdAt.toString(36)}.`) &&
  lastId.endsWith(ENDED)
