import type { Engine, Recording } from '../ports.ts'
import type { Stretch } from './3-plan.ts'

export interface SpokenLanguage {
  readonly code: string
  readonly detected: boolean
  /** Only where it was detected. */
  readonly probability?: number | undefined
}

/** A vote as sure as this decides for a short recording: a second one would cost it a tenth of its time. */
const SURE = 0.8
/** So many votes decide in any case: the majority of three. */
const ENOUGH = 2

interface Vote {
  readonly language: string
  readonly probability: number
}

/**
 * The language to hear in: what the client said, else that of most samples, pinned for every window. Samples are
 * listened to one after the other until it is decided. Null when nobody speaks.
 */
export async function decideLanguage(
  engine: Pick<Engine, 'detectLanguage'>,
  {
    recording,
    samples,
    short,
  }: { recording: Pick<Recording, 'read'>; samples: readonly Stretch[]; short: boolean },
  asked: string | undefined,
  signal: AbortSignal,
): Promise<SpokenLanguage | null> {
  if (asked !== undefined) return { code: asked, detected: false }
  const votes: Vote[] = []
  for (const { channel, startMs, endMs } of samples) {
    votes.push(await engine.detectLanguage(await recording.read(channel, startMs, endMs), { signal }))
    const { language, probability } = votes.at(-1)!
    if (short && probability >= SURE) break
    if (votes.filter((vote) => vote.language === language).length >= ENOUGH) break
  }
  return elected(votes)
}

/** Most votes, and of those with as many the one with most certainty; with the mean of its own votes' probabilities. */
function elected(votes: readonly Vote[]): SpokenLanguage | null {
  const parties = Map.groupBy(votes, ({ language }) => language)
  const [first] = Array.from(parties, ([code, own]) => ({
    ...{ code, count: own.length },
    sum: own.reduce((sum, { probability }) => sum + probability, 0),
  })).sort((a, b) => b.count - a.count || b.sum - a.sum)
  return first ? { code: first.code, detected: true, probability: first.sum / first.count } : null
}
