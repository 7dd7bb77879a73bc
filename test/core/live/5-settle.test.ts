import { describe, expect, it } from '@jest/globals'
import type { LiveWindow } from '../../../lib/core/live/4-window.ts'
import { settle } from '../../../lib/core/live/5-settle.ts'
import type { HearingState } from '../../../lib/core/live/state.ts'
import type { HeardSegment, Word } from '../../../lib/core/transcript/shape.ts'
import { hearingAt, segmentOf, textOf, wordsOf } from './hearing.ts'

interface Case {
  readonly state?: Partial<HearingState>
  readonly window?: Partial<LiveWindow>
  readonly regions?: Array<readonly [startMs: number, endMs: number]>
  /** Words on the session's clock. */
  readonly words?: readonly Word[]
  readonly segments?: readonly HeardSegment[]
}

/** Settles a window from 10 s to 13 s in which somebody speaks all the time, unless the case says otherwise. */
function settled({ state, window, regions, words = [], segments }: Case) {
  const asked: LiveWindow = { startMs: 10_000, endMs: 13_000, over: false, brief: true, ...window }
  const relative = words.map((word) => ({
    ...word,
    startMs: word.startMs - asked.startMs,
    endMs: word.endMs - asked.startMs,
  }))
  const heard = segments ?? (words.length > 0 ? [segmentOf(relative)] : [])
  const spoken = (regions ?? [[asked.startMs, asked.endMs]]).map(([startMs, endMs]) => ({ startMs, endMs }))
  const outcome = settle(hearingAt(state), asked, heard, { regions: spoken, endMs: asked.endMs })
  return { ...outcome, final: textOf(outcome.finals), draft: textOf(outcome.drafts) }
}

/** "please send the report": 10.1 to 13.0 s, so the last two end within the last 0.8 s. */
const FOUR = wordsOf('please send the report', 10_100, 725)

describe('words in the middle of speech', () => {
  it('are final when they end 0.8 s before the end of the window', () => {
    expect(settled({ words: FOUR })).toMatchObject({ final: 'please send', draft: 'the report' })
  })

  it('stay drafts, with all after them, when the engine does not believe them', () => {
    const doubted = FOUR.map((word, i) => (i === 1 ? { ...word, probability: 0.3 } : word))
    expect(settled({ words: doubted })).toMatchObject({ final: 'please', draft: 'send the report' })
  })

  it('are final when two hearings agree, case and punctuation aside', () => {
    const doubted = FOUR.map((word) => ({ ...word, probability: 0.1 }))
    const previous = wordsOf('Please, SEND a report', 10_100, 725)
    expect(settled({ state: { previous }, words: doubted })).toMatchObject({
      final: 'please send',
      draft: 'the report',
    })
  })

  it('are final up to the last pause', () => {
    const words = [...wordsOf('yes', 12_000, 300), ...wordsOf('let us', 12_600, 200)]
    const regions: Array<[number, number]> = [
      [11_900, 12_450],
      [12_500, 13_000],
    ]
    const { final, draft, hearing } = settled({ words, regions })
    expect([final, draft]).toEqual(['yes', 'let us'])
    // The pause is settled with them.
    expect(hearing.settledMs).toBe(12_450)
  })

  it('are cut off provisionally when nothing has become final for four seconds', () => {
    const doubted = FOUR.map((word) => ({ ...word, probability: 0.1 }))
    expect(settled({ state: { unsettledSinceMs: 9001 }, words: doubted }).final).toBe('')
    expect(settled({ state: { unsettledSinceMs: 9000 }, words: doubted })).toMatchObject({
      final: 'please send',
      draft: 'the report',
    })
  })

  it('are what the next hearing is compared with, as long as they are drafts', () => {
    const { hearing } = settled({ words: FOUR })
    expect(textOf(hearing.previous)).toBe('the report')
    expect(hearing).toMatchObject({
      settledMs: 11_550,
      heardMs: 13_000,
      lastWordMs: 13_000,
      context: 'please send',
    })
    expect(hearing.unsettledSinceMs).toBe(11_550)
  })
})

describe('words before silence, or before the end of the session', () => {
  it('are final at once, whatever the engine believes', () => {
    const words = FOUR.map((word) => ({ ...word, probability: 0.1 }))
    const { final, draft, hearing } = settled({ words, window: { over: true } })
    expect([final, draft]).toEqual(['please send the report', ''])
    expect(hearing).toMatchObject({ settledMs: 13_000, previous: [], attempts: 0 })
    expect(hearing).not.toHaveProperty('unsettledSinceMs')
  })

  it('are not there when the engine puts them where nothing sounds', () => {
    const words = [...wordsOf('goodbye', 10_100), ...wordsOf('thank you', 12_000)]
    const segments = [words.slice(0, 1), words.slice(1)].map((part) =>
      segmentOf(
        part.map((word) => ({ ...word, startMs: word.startMs - 10_000, endMs: word.endMs - 10_000 })),
      ),
    )
    expect(settled({ segments, regions: [[10_000, 10_600]], window: { over: true } }).final).toBe('goodbye')
  })
})

describe('a window that begins before the settled words', () => {
  const tail = wordsOf('we need four more tickets', 10_100, 400)
  const state = { tail, settledMs: 12_100 }
  const window = { endMs: 16_000 }

  it.each([
    ['are left out', wordsOf('we need four more tickets for the release', 10_100, 400)],
    [
      'are left out when their times have moved',
      wordsOf('we need four more tickets for the release', 10_350, 400),
    ],
    [
      'are left out when they are heard otherwise now',
      wordsOf('she needs for more tickets for the release', 10_100, 400),
    ],
    [
      'are left out when the first of them is cut off',
      wordsOf('need four more tickets for the release', 10_500, 400),
    ],
    [
      'are left out when the engine said their end twice',
      [
        ...wordsOf('we need four more tickets', 10_100, 400),
        ...wordsOf('more tickets', 11_300, 400),
        ...wordsOf('for the release', 12_100, 400),
      ],
    ],
  ])('has new words only: those that are final %s', (_, words) => {
    expect(settled({ state, window, words }).final).toBe('for the release')
  })

  it('keeps a word that somebody said twice', () => {
    const words = wordsOf('we need four more tickets tickets please', 10_100, 400)
    expect(settled({ state, window, words }).final).toBe('tickets please')
  })

  it('keeps the words in order when the engine lets them overlap', () => {
    const words = [...tail, ...wordsOf('for', 12_000, 50), ...wordsOf('the release', 12_060, 400)]
    const times = settled({ state, window, words }).finals.flatMap(({ startMs, endMs }) => [startMs, endMs])
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times[0]).toBeGreaterThanOrEqual(12_100)
  })
})

describe('an engine that ends its text although somebody speaks on', () => {
  const window = { endMs: 18_000 }
  const first = segmentOf(wordsOf('good morning everyone', 200, 400))
  const broken = segmentOf(wordsOf('the meeting', 2000, 400))

  it('is asked again, from the segment that it broke off', () => {
    const { final, draft, hearing } = settled({ window, segments: [first, broken] })
    expect([final, draft]).toEqual(['good morning everyone', ''])
    expect(hearing).toMatchObject({ attempts: 1, fromMs: 11_700, settledMs: 11_400 })
  })

  it('is asked again from its last word where that is all the progress there is', () => {
    const { final, hearing } = settled({ window, segments: [first] })
    expect(final).toBe('good morning everyone')
    expect(hearing).toMatchObject({ attempts: 1, fromMs: 11_100 })
  })

  it('is asked again when it broke off where it did before, so that no word is new', () => {
    const state = { tail: wordsOf('good morning everyone the meeting', 10_200, 400), settledMs: 12_200 }
    const begun = segmentOf(wordsOf('the meeting', 1400, 400))
    const { final, hearing } = settled({ state, window, segments: [first, begun] })
    expect(final).toBe('')
    expect(hearing).toMatchObject({ attempts: 1, fromMs: 11_100, settledMs: 12_200 })
  })

  it('is believed the third time', () => {
    const { hearing } = settled({
      state: { attempts: 2 },
      window: { ...window, over: true },
      segments: [first],
    })
    expect(hearing).toMatchObject({ attempts: 0, settledMs: 18_000 })
  })
})

describe('an engine that loops, or does not believe what it says', () => {
  const loop = segmentOf(wordsOf('see you then see you then see you then', 100), { compressionRatio: 3 })
  const doubted = segmentOf(wordsOf('a long question', 100), { avgLogprob: -1.5 })
  const state = { previous: FOUR, context: 'Good morning.' }

  it.each([
    ['loops', loop],
    ['does not believe', doubted],
  ])('is asked again with full effort and no context: %s', (_, segment) => {
    const { final, drafts, hearing } = settled({ state, segments: [segment] })
    expect(final).toBe('')
    expect(drafts).toEqual(FOUR)
    expect(hearing).toMatchObject({ attempts: 1, careful: true, context: '' })
  })

  it('has a loop cut to its phrase when full effort brings no better', () => {
    const window = { brief: false, over: true }
    const { final, hearing } = settled({ state: { attempts: 1, careful: true }, window, segments: [loop] })
    expect(final).toBe('see you then')
    expect(hearing).toMatchObject({ careful: false, context: '' })
  })
})

describe('a window that moves on', () => {
  it('leaves sound behind in which nothing was heard for six seconds', () => {
    expect(settled({ window: { endMs: 15_999 } }).hearing.fromMs).toBe(0)
    expect(settled({ window: { endMs: 16_000 } }).hearing).toMatchObject({
      settledMs: 15_000,
      fromMs: 15_000,
    })
  })

  it('begins after the last finished segment once it was 15 s long', () => {
    const segments = [
      segmentOf(wordsOf('good morning everyone', 200, 2000)),
      segmentOf(wordsOf('we need four more tickets now', 6400, 1400)),
    ]
    const fromMs = (endMs: number) => settled({ window: { endMs }, segments }).hearing.fromMs
    expect(fromMs(24_999)).toBe(0)
    expect(fromMs(25_000)).toBe(16_200)
  })

  it('begins 5 s before the last final word when no segment ends', () => {
    const words = wordsOf('one two three four five six seven eight nine ten', 10_000, 1500)
    expect(settled({ window: { endMs: 25_000 }, words }).hearing.fromMs).toBe(18_500)
  })
})
