import type { Session } from '../session.ts'
import type { Word } from '../transcript/shape.ts'
import { type NamedWord, toCaptions } from './6-segment.ts'
import { nameWords, speakerTurns, type Turn } from './7-speakers.ts'
import type { Found } from './ask.ts'
import type { LivePorts } from './ports.ts'
import type { LiveSegment } from './segment.ts'
import type { LiveState } from './state.ts'

/** So many captions before tell how late names are, and may still get theirs. */
const LOOK_BACK = 60
/** A name that comes later than this after the words is not added any more. */
const LATE_MS = 15_000

/** The state and the captions of a step: words are named and cut into captions, and late names added. */
export async function captionStep(
  { sessions }: Pick<LivePorts, 'sessions'>,
  session: Session,
  { live, finals, drafts }: Found,
): Promise<{ state: LiveState; segments: LiveSegment[] }> {
  const { nextSegment, ingest } = live
  const recent = await sessions.segments(session, { after: nextSegment - LOOK_BACK - 1, limit: LOOK_BACK })
  const spoken = [...recent.flatMap(({ words }) => words), ...finals, ...drafts]
  const events = await sessions.speakers(session)
  const turns = ingest.zeroAt === undefined ? [] : speakerTurns(events, spoken, ingest.zeroAt)
  const made = toCaptions(named(finals, turns), named(drafts, turns), nextSegment)
  const late = recent
    .filter(({ endMs }) => endMs > ingest.endMs - LATE_MS)
    .flatMap((it) => nameLate(it, turns))
  const changed = made.finals.length > 0 || late.length > 0 || !sameText(made.drafts, live.drafts)
  return {
    state: {
      ...live,
      nextSegment: nextSegment + made.finals.length,
      drafts: made.drafts,
      change: live.change + (changed ? 1 : 0),
      revisions: live.revisions + (late.length > 0 ? 1 : 0),
    },
    segments: [...late, ...made.finals],
  }
}

function named(words: readonly Word[], turns: readonly Turn[]): NamedWord[] {
  const names = nameWords(words, turns)
  return words.map((word, i) => ({ word, speaker: names[i] }))
}

/** A final without a name gets one if all its words have it now. A name that is there never changes. */
function nameLate(segment: LiveSegment, turns: readonly Turn[]): LiveSegment[] {
  if (segment.speaker !== undefined || segment.words.length === 0) return []
  const [speaker, ...others] = new Set(nameWords(segment.words, turns))
  if (speaker === undefined || others.length > 0) return []
  return [{ ...segment, speaker, revision: segment.revision + 1 }]
}

const sameText = (some: readonly LiveSegment[], others: readonly LiveSegment[]): boolean =>
  some.length === others.length &&
  some.every(({ text, speaker }, i) => text === others[i]!.text && speaker === others[i]!.speaker)
