import { describe, expect, it } from '@jest/globals'
import type { Region } from '../../../lib/core/audio/voice.ts'
import { nextWindow, type WindowOptions, withContext } from '../../../lib/core/live/4-window.ts'
import { LIVE_DEFAULTS } from '../../../lib/core/live/settings.ts'
import type { HearingState } from '../../../lib/core/live/state.ts'
import { hearingAt, textOf, wordsOf } from './hearing.ts'

const spoken = (...regions: Array<readonly [startMs: number, endMs: number]>): Region[] =>
  regions.map(([startMs, endMs]) => ({ startMs, endMs }))

function next(
  regions: Region[],
  endMs: number,
  state: Partial<HearingState> = {},
  options: Partial<WindowOptions> = {},
) {
  return nextWindow(
    hearingAt(state),
    { regions, endMs },
    { closing: false, settings: LIVE_DEFAULTS, ...options },
  )
}

/** The window that is heard next; fails when none is. */
function windowOf(...given: Parameters<typeof next>) {
  const decided = next(...given)
  if (decided.what !== 'hear') throw new Error(`it says ${decided.what}`)
  return decided.window
}

describe('where a window begins', () => {
  it.each([
    ['a second before speech, which may begin under the noise', spoken([4000, 6000]), 6000, {}, 3000],
    ['at the beginning of the sound when there is less', spoken([400, 3000]), 3000, {}, 0],
    [
      'where the speech before ended when that is less than a second ago',
      spoken([0, 3000], [3400, 6000]),
      6000,
      { settledMs: 3000 },
      3000,
    ],
    [
      'before the sentence, even where its first words are final',
      spoken([2000, 6000]),
      6000,
      { settledMs: 4200 },
      1000,
    ],
    [
      'not before what has been left behind',
      spoken([0, 20_000]),
      20_000,
      { settledMs: 14_000, fromMs: 9000 },
      9000,
    ],
    [
      'in the new speech, when of the old only its fading is unsettled',
      spoken([0, 3000], [5000, 6000]),
      6000,
      { settledMs: 2850 },
      4000,
    ],
    [
      'a second before the first word after a pause of 30 s',
      spoken([0, 3000], [33_500, 36_000]),
      36_000,
      { settledMs: 32_000 },
      32_500,
    ],
  ])('is %s', (_, regions, endMs, state, startMs) => {
    expect(windowOf(regions, endMs, state).startMs).toBe(startMs)
  })
})

describe('where a window ends', () => {
  it('is the end of the sound while somebody speaks, and nothing is over', () => {
    expect(windowOf(spoken([0, 6000]), 6000)).toMatchObject({ endMs: 6000, over: false })
  })

  it('is soon after the last word when half a second of silence follows it, and what was said is over', () => {
    // The gate adds 200 ms to the speech.
    expect(windowOf(spoken([0, 3200]), 3499)).toMatchObject({ endMs: 3499, over: false })
    expect(windowOf(spoken([0, 3200]), 3500)).toMatchObject({ endMs: 3500, over: true })
    expect(windowOf(spoken([0, 3200]), 6000)).toMatchObject({ endMs: 3500, over: true })
  })

  it('is the end of the session when it closes, whoever speaks', () => {
    expect(windowOf(spoken([0, 3000]), 3000, {}, { closing: true })).toMatchObject({
      endMs: 3000,
      over: true,
    })
  })

  it('is the last pause within 28 s when more has piled up', () => {
    const regions = spoken([0, 12_000], [12_500, 25_000], [25_400, 50_000])
    expect(windowOf(regions, 50_000)).toMatchObject({ startMs: 0, endMs: 25_000, over: true })
  })

  it('is 28 s after its beginning when nobody pauses', () => {
    expect(windowOf(spoken([0, 50_000]), 50_000)).toMatchObject({ startMs: 0, endMs: 28_000, over: false })
  })
})

describe('the engine', () => {
  it.each([
    ['is not asked for less than 0.8 s of new sound', spoken([0, 3700]), 3700, { heardMs: 3000 }, 'wait'],
    ['is asked for 0.8 s', spoken([0, 3800]), 3800, { heardMs: 3000 }, 'hear'],
    ['is asked for less when what was said is over', spoken([0, 3300]), 3600, { heardMs: 3000 }, 'hear'],
    [
      'is asked again for the same sound when its answer was not good enough',
      spoken([0, 3000]),
      3000,
      { heardMs: 3000, attempts: 1 },
      'hear',
    ],
    ['is not asked again after a whole answer', spoken([0, 3000]), 3000, { heardMs: 3000 }, 'wait'],
    ['is not asked where nobody speaks', [], 6000, {}, 'silence'],
    ['is not asked twice about silence', [], 6000, { heardMs: 6000, settledMs: 5000 }, 'wait'],
    [
      'is not asked for the fading of a settled word',
      spoken([0, 3000]),
      6000,
      { settledMs: 2850 },
      'silence',
    ],
  ])('%s', (_, regions, endMs, state, what) => {
    expect(next(regions, endMs, state).what).toBe(what)
  })

  it('is not asked to hear words again that it heard to their end: they are final as they are', () => {
    const previous = wordsOf('see you next week', 1500)
    const decided = next(spoken([1400, 2900]), 6000, { heardMs: 3000, previous, settledMs: 500 })
    expect(decided).toMatchObject({ what: 'silence', finals: previous })
    if (decided.what !== 'silence') return
    expect(textOf(decided.hearing.tail)).toBe('see you next week')
    expect(decided.hearing).toMatchObject({ previous: [], lastWordMs: 2700 })
    // Nothing more is to do, neither now nor with more silence.
    expect(next(spoken([1400, 2900]), 6000, decided.hearing).what).toBe('wait')
    expect(next(spoken([1400, 2900]), 9000, decided.hearing)).toMatchObject({ what: 'silence', finals: [] })
  })

  it('takes little effort, and its full one after a guard fired', () => {
    expect(windowOf(spoken([0, 3000]), 3000).brief).toBe(true)
    expect(windowOf(spoken([0, 3000]), 3000, { careful: true, attempts: 1 }).brief).toBe(false)
  })
})

describe('the context of the engine', () => {
  const state = { context: 'We met Alice.', fromMs: 2000, settledMs: 4000 }
  const glossary = 'Verbatim'

  it('is the last final words where a window begins in the middle of speech, after the glossary', () => {
    expect(windowOf(spoken([0, 6000]), 6000, state).prompt).toBe('We met Alice.')
    expect(windowOf(spoken([0, 6000]), 6000, state, { glossary }).prompt).toBe('Verbatim We met Alice.')
  })

  it('is the glossary alone where it begins in a pause', () => {
    expect(windowOf(spoken([3000, 6000]), 6000, state, { glossary }).prompt).toBe('Verbatim')
    expect(windowOf(spoken([3000, 6000]), 6000, state)).not.toHaveProperty('prompt')
  })

  it('is forgotten after three seconds of silence', () => {
    const state = { context: 'We met Alice.', lastWordMs: 5000, settledMs: 5200, heardMs: 5200 }
    expect(next(spoken([0, 5100]), 7999, state)).toMatchObject({ hearing: { context: 'We met Alice.' } })
    expect(next(spoken([0, 5100]), 8000, state)).toMatchObject({ hearing: { context: '' } })
  })

  it('is cut to its last 200 characters, and at a word', () => {
    const context = withContext('', wordsOf('meeting '.repeat(40).trim(), 0))
    expect(context).toBe('meeting '.repeat(25).trim())
  })
})
