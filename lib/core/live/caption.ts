import type { Session } from '../session.ts'
import type { Word } from '../transcript/shape.ts'
import { type NamedWord, toCaptions } from './6-segment.ts'
import { type Naming, nameSpoken } from './7-speakers.ts'
import type { Found } from './ask.ts'
import type { LivePorts } from './ports.ts'
import type { LiveSegment } from './segment.ts'
import type { LiveState } from './state.ts'

/** So many captions before tell how late names are, and may still get theirs. */
const LOOK_BACK = 60
/** A name that comes later than this after the words is not added any more. */
const LATE_MS = 15_000

/**
 * The state and the captions of a step: words are named and cut into captions, and late names added. With nothing new
 * it only adds names. `over`: no sound and no name is to come any more.
 */
export async function captionStep(
  { sessions }: Pick<LivePorts, 'sessions'>,
  session: Session,
  { live, finals, drafts }: Found,
  over: boolean,
): Promise<{ state: LiveState; segments: LiveSegment[] }> {
  const { nextSegment, ingest } = live
  const recent = await sessions.segments(session, { after: nextSegment - LOOK_BACK - 1, limit: LOOK_BACK })
  const before = recent.flatMap(({ words }) => words)
  const naming = await namingOf(sessions, session, [...before, ...finals, ...drafts], live, over)
  const named = (words: readonly Word[], from: number): NamedWord[] =>
    words.map((word, i) => ({ word, speaker: undefined, ...naming[from + i] }))
  const made = toCaptions(
    named(finals, before.length),
    named(drafts, before.length + finals.length),
    nextSegment,
  )
  const late = nameLate(recent, naming, ingest.endMs)
  const changed = made.finals.length > 0 || late.length > 0 || !sameText(made.drafts, live.drafts)
  const unnamed = [...recent, ...made.finals].find((it) => mayGetName(it, late, naming, ingest.endMs))
  return {
    state: {
      ...live,
      nextSegment: nextSegment + made.finals.length,
      settledSegment: unnamed?.id ?? nextSegment + made.finals.length,
      drafts: made.drafts,
      change: live.change + (changed ? 1 : 0),
      revisions: live.revisions + (late.length > 0 ? 1 : 0),
    },
    segments: [...late, ...made.finals],
  }
}

async function namingOf(
  sessions: LivePorts['sessions'],
  session: Session,
  spoken: readonly Word[],
  { ingest: { zeroAt, endMs } }: LiveState,
  over: boolean,
): Promise<Naming[]> {
  if (zeroAt === undefined || spoken.length === 0) return []
  const events = await sessions.speakers(session, { from: zeroAt + spoken[0]!.startMs })
  return nameSpoken(events, spoken, zeroAt, over ? Number.POSITIVE_INFINITY : endMs)
}

/** Finals without a name get one if all their words have it now. A name that is there never changes. */
function nameLate(recent: readonly LiveSegment[], naming: readonly Naming[], nowMs: number): LiveSegment[] {
  let first = 0
  return recent.flatMap((segment) => {
    const its = naming.slice(first, first + segment.words.length)
    first += segment.words.length
    const [speaker, ...others] = new Set(its.map((it) => it.speaker))
    if (segment.speaker !== undefined || segment.endMs < nowMs - LATE_MS) return []
    if (speaker === undefined || others.length > 0) return []
    return [{ ...segment, speaker, revision: segment.revision + 1 }]
  })
}

/** A sink gets each final once, so one whose name is on its way waits for it. */
function mayGetName(
  segment: LiveSegment,
  late: readonly LiveSegment[],
  naming: readonly Naming[],
  nowMs: number,
): boolean {
  if (segment.speaker !== undefined || segment.words.length === 0) return false
  if (late.some(({ id }) => id === segment.id)) return false
  return naming.some(({ unsure }) => unsure) && segment.endMs > nowMs - WAIT_MS
}

/** Longer than a name may be on its way. */
const WAIT_MS = 3_000

const sameText = (some: readonly LiveSegment[], others: readonly LiveSegment[]): boolean =>
  some.length === others.length &&
  some.every(({ text, speaker }, i) => text === others[i]!.text && speaker === others[i]!.speaker)
