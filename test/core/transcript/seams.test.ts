import { describe, expect, it } from '@jest/globals'
import type { WindowHeard } from '../../../lib/core/transcript/assemble.ts'
import { mendSeams, type SeamHeard } from '../../../lib/core/transcript/seams.ts'
import type { HeardSegment, Word } from '../../../lib/core/transcript/shape.ts'
import { findWords } from '../../../lib/core/transcript/split.ts'

// Scripts: a word each 400 ms, `_` a word's time of silence, `|` begins a segment, `word:0.3` is how sure the engine is
// of it (0.9 unless said otherwise). The windows meet at 10 s, where the sound around is heard from 7 s to 13 s.

const STEP_MS = 400
const AT_MS = 10_000
const [FROM_MS, TO_MS] = [AT_MS - 3_000, AT_MS + 3_000]

function wordsOf(script: string, fromMs: number): Word[] {
  return script.split(/\s+/).flatMap((sign, i) => {
    const [text = '', probability = '0.9'] = sign.split(':')
    const startMs = fromMs + i * STEP_MS
    return text === '_' || text === ''
      ? []
      : [{ text, startMs, endMs: startMs + STEP_MS, probability: Number(probability) }]
  })
}

/** Times from `originMs`. */
function segmentsOf(script: string, fromMs: number, originMs: number): HeardSegment[] {
  let startMs = fromMs - originMs
  return script.split('|').flatMap((part) => {
    const words = wordsOf(part.trim(), startMs)
    startMs += part.trim().split(/\s+/).length * STEP_MS
    if (words.length === 0) return []
    const text = words.map((word) => word.text).join(' ')
    const times = { startMs: words[0]!.startMs, endMs: words.at(-1)!.endMs }
    return [{ ...times, text, words, avgLogprob: -0.1, noSpeechProb: 0, compressionRatio: 1 }]
  })
}

/** The script ends at the cut. */
const leftOf = (script: string): WindowHeard => ({
  channel: 0,
  startMs: 0,
  endMs: AT_MS,
  segments: segmentsOf(script, AT_MS - lengthMs(script), 0),
})

const rightOf = (script: string): WindowHeard => ({
  channel: 0,
  startMs: AT_MS,
  endMs: AT_MS + 20_000,
  segments: segmentsOf(script, AT_MS, AT_MS),
})

/** The script begins 7 words before the cut and 200 ms after the beginning of the sound. */
const aroundOf = (script: string): SeamHeard => ({
  channel: 0,
  atMs: AT_MS,
  startMs: FROM_MS,
  endMs: TO_MS,
  segments: segmentsOf(script, AT_MS - 7 * STEP_MS, FROM_MS),
})

const lengthMs = (script: string): number =>
  script.split(/\s+/).filter((sign) => sign !== '|').length * STEP_MS

const textOf = ({ segments }: WindowHeard): string => segments.map(({ text }) => text).join(' | ')

/** A clean hearing of the sentence in all the cases. */
const WHOLE = 'we think that the budget is just fifteen hundred dollars for this year we'

describe('a seam', () => {
  it.each([
    [
      'a word cut in two is one word',
      'we think that the budget is just fif',
      'teen hundred dollars for',
      WHOLE,
    ],
    [
      'a word whose end was lost is whole',
      'we think that the budget is just fifty',
      'hundred dollars for',
      WHOLE,
    ],
    [
      'a word that neither side has heard is there',
      'we think that the budget is just _',
      '_ hundred dollars for',
      WHOLE,
    ],
    [
      'a word that both sides have heard is there once',
      'that the budget is just fifteen',
      'fifteen hundred dollars for',
      WHOLE,
    ],
    [
      'what the left side made of its end is gone',
      'we think that the budget is small:0.3',
      '_ hundred dollars for',
      WHOLE,
    ],
  ])('is mended: %s', (_, left, right, around) => {
    const { windows, repaired } = mendSeams([leftOf(left), rightOf(right)], [aroundOf(around)])
    expect(repaired).toBe(1)
    expect(windows.map(textOf).join(' ')).toMatch(/the budget is just fifteen hundred dollars for$/)
  })

  it.each([
    [
      'where both sides have heard the same as the sound around it',
      'is just no',
      'no not fifteen',
      'we think that the is just no no not fifteen hundred dollars',
    ],
    ['where nothing was heard around it', 'the budget is just fif', 'teen hundred dollars', ''],
    [
      'where the sound around it has no word in common with the left side',
      'a b c d e f g h',
      'hundred dollars for',
      'i j k l m n o p hundred dollars for',
    ],
    [
      'where it has none in common with the right side',
      'we think that the budget is',
      'a b c d e f g h',
      'we think that the budget is just p q r s t u v',
    ],
    [
      'where only words at the edges of that sound are different',
      'we think that the budget is just',
      'fifteen hundred dollars for this year now',
      'she think that the budget is just fifteen hundred dollars for this cheer',
    ],
    [
      'where a probable word is missing in the sound around it',
      'we think that the budget is just',
      'fifteen hundred dollars for',
      'we think that the budget is just _ hundred dollars for this',
    ],
    [
      'where what was heard around it is less sure',
      'the budget is just',
      'fifteen hundred dollars for',
      'we think that the budget is just thanks:0.2 dollars for this',
    ],
  ])('is left as it is %s', (_, left, right, around) => {
    const windows = [leftOf(left), rightOf(right)]
    expect(mendSeams(windows, [aroundOf(around)])).toEqual({ windows, repaired: 0 })
  })

  it('is mended at a side where nobody has spoken for a while', () => {
    const windows = [leftOf('early | _ _ _ _ _ _ _ _ _'), rightOf('day | everyone in the room')]
    const around = aroundOf('_ _ _ _ _ _ good:0.8 day everyone in the room')
    expect(mendSeams(windows, [around]).windows.map(textOf)).toEqual([
      'early',
      'good day everyone in the room',
    ])
  })

  it('is left as it is where one of its windows could not be heard', () => {
    const windows = [leftOf('the budget is just fif')]
    expect(mendSeams(windows, [aroundOf(WHOLE)])).toEqual({ windows, repaired: 0 })
  })

  it('is left as it is where a text is not its words', () => {
    const [left, right] = [leftOf('the budget is just fif'), rightOf('teen hundred dollars for')]
    const windows = [{ ...left, segments: left.segments.map((one) => ({ ...one, text: '…' })) }, right]
    expect(mendSeams(windows, [aroundOf(WHOLE)])).toEqual({ windows, repaired: 0 })
  })

  it('keeps white space and punctuation of the texts that words come from', () => {
    const left = leftOf('「the budget is just fif')
    const right = rightOf('Teen hundred dollars, for')
    const { windows } = mendSeams(
      [left, right],
      [aroundOf('we think that the budget is just fifteen hundred dollars,')],
    )
    expect(windows.map(textOf)).toEqual(['「the budget is just', 'fifteen hundred dollars, for'])
  })

  it('lets a sentence that begins near the cut begin the right window', () => {
    const around = aroundOf('we think that the budget is | Just fifteen hundred dollars for this')
    const { windows } = mendSeams(
      [leftOf('that the budget is small'), rightOf('fifty hundred dollars for')],
      [around],
    )
    expect(windows.map(textOf)).toEqual(['that the budget is', 'Just fifteen hundred dollars for'])
  })
})

describe('mended windows', () => {
  const { windows, repaired } = mendSeams(
    [leftOf('first | that the budget is just fif'), rightOf('teen hundred dollars | for this')],
    [aroundOf(WHOLE)],
  )
  const [left, right] = windows as [WindowHeard, WindowHeard]

  it('meet between words, near where they did', () => {
    expect(repaired).toBe(1)
    expect(left.endMs).toBe(right.startMs)
    expect(Math.abs(left.endMs - AT_MS)).toBeLessThan(STEP_MS)
  })

  it('have words and segments in order, inside them', () => {
    for (const { segments, startMs, endMs } of windows) {
      let doneMs = 0
      for (const segment of segments)
        for (const word of segment.words) {
          expect(word.startMs).toBeGreaterThanOrEqual(Math.max(doneMs, segment.startMs))
          expect(word.endMs).toBeGreaterThan(word.startMs)
          doneMs = word.endMs
        }
      expect(doneMs).toBeLessThanOrEqual(endMs - startMs)
    }
  })

  it('have segments whose text is their words', () => {
    for (const { text, words } of windows.flatMap(({ segments }) => segments))
      expect(findWords(text, words)).toHaveLength(words.length)
  })

  it('leave what is far from the seam as it was', () => {
    expect(left.segments[0]).toEqual(leftOf('first | that the budget is just fif').segments[0])
    const last = right.segments.at(-1)!
    expect(last.text).toBe('for this')
    expect(last.words[0]!.startMs + right.startMs).toBe(AT_MS + 3 * STEP_MS)
  })

  it('can be mended at their other ends as well', () => {
    const three = [
      leftOf('that the budget is just fif'),
      { ...rightOf('teen hundred dollars for _ we'), endMs: AT_MS + 2_500 },
      { ...rightOf('need more'), startMs: AT_MS + 2_500, endMs: AT_MS + 20_000 },
    ]
    const next = {
      ...aroundOf('fifteen hundred dollars for this year we all need more time'),
      atMs: AT_MS + 2_500,
    }
    const shifted = { ...next, startMs: FROM_MS + 2_500, endMs: TO_MS + 2_500 }
    const both = mendSeams(three, [aroundOf(WHOLE), shifted])
    expect(both.repaired).toBe(2)
    expect(both.windows.map(textOf).join(' ')).toBe(
      'that the budget is just fifteen hundred dollars for this year we all need more',
    )
  })
})
