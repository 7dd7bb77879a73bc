import type { LiveSegment } from '../../lib/core/live/segment.ts'
import type { Session } from '../../lib/core/session.ts'

/** When the sessions of `sampleSession` begin. */
export const SESSION_AT = Date.UTC(2026, 10, 20, 9, 30)

export const sampleSession = (over: Partial<Session> = {}): Session => ({
  tenant: 'default',
  sessionId: 'meeting-1',
  version: 1,
  state: 'OPEN',
  createdAt: SESSION_AT,
  updatedAt: SESSION_AT,
  revision: 1,
  ...over,
})

/** Final n of a session: two words, three seconds each. */
export const sampleFinal = (id: number, over: Partial<LiveSegment> = {}): LiveSegment => {
  const startMs = id * 3000
  const word = (text: string, at: number) => ({
    ...{ text, startMs: startMs + at, endMs: startMs + at + 500, probability: 0.9 },
  })
  return {
    ...{ id, startMs, endMs: startMs + 1250, text: `Grüße „${id}“`, speaker: 'Zoë' },
    ...{ words: [word('Grüße', 250), word(`„${id}“`, 750)], final: true, revision: 1 },
    ...over,
  }
}

export const sampleFinals = (count: number, from = 0): LiveSegment[] =>
  Array.from({ length: count }, (_, n) => sampleFinal(from + n))

/** The part of a session store that sinks read. */
export const storedFinals = (finals: () => readonly LiveSegment[]) => ({
  segments: async (_ref: unknown, { after = -1, limit }: { after?: number; limit: number }) =>
    finals()
      .filter(({ id }) => id > after)
      .slice(0, limit),
})
