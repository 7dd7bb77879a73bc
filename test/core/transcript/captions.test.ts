import { describe, expect, it } from '@jest/globals'
import { captionsOf } from '../../../lib/core/transcript/captions.ts'
import type { Segment } from '../../../lib/core/transcript/shape.ts'
import { columns } from '../../../lib/core/transcript/width.ts'
import { segment } from './support.ts'

const linesOf = (text: string, seconds = 5) =>
  captionsOf([segment(0, seconds * 1000, text)]).map(({ lines }) => lines)

const words = (n: number, word: string) => Array(n).fill(word).join(' ')

describe('where captions are cut', () => {
  it.each<[string, string, string[][]]>([
    ['a short sentence is one line', 'Good morning everyone.', [['Good morning everyone.']]],
    [
      'a line ends at the clause',
      'If the budget is too small, we have to wait for the next year.',
      [['If the budget is too small,', 'we have to wait for the next year.']],
    ],
    [
      'a line begins with the connective',
      'The quarterly report must reach the office before the meeting starts',
      [['The quarterly report must reach the office', 'before the meeting starts']],
    ],
    [
      'a caption ends at the sentence',
      'We need seven more laptops for the new project in Lisbon. The price of each of them is one thousand dollars.',
      [
        ['We need seven more laptops', 'for the new project in Lisbon.'],
        ['The price of each', 'of them is one thousand dollars.'],
      ],
    ],
    [
      'without any help the lines are balanced',
      words(10, 'bananas'),
      [[words(5, 'bananas'), words(5, 'bananas')]],
    ],
    [
      'spaces and line breaks inside a text become one space',
      'one\r\n\r\ntwo\u2028three  four',
      [['one two three four']],
    ],
    [
      'a word longer than a line is cut, and only it',
      `see ${'x'.repeat(100)} now`,
      [
        [`see`, 'x'.repeat(42)],
        ['x'.repeat(42), `${'x'.repeat(16)} now`],
      ],
    ],
    [
      'a title is not the end of a sentence, and an article stays with its noun',
      'The finance department asked Mr. Smith if a summary could be published',
      [['The finance department asked Mr. Smith', 'if a summary could be published']],
    ],
    ['nothing to show is no caption', ' \u0000 ', []],
  ])('%s', (_, text, expected) => {
    expect(linesOf(text, 6)).toEqual(expected)
  })

  it('Chinese and Thai are cut between words, wide characters counting two', () => {
    const chinese = linesOf('我们今天下午讨论明年的预算问题然后决定谁去参加会议', 6)
    expect(chinese.flat().join('')).toBe('我们今天下午讨论明年的预算问题然后决定谁去参加会议')
    expect(chinese).toHaveLength(1)
    expect(chinese[0]).toHaveLength(2)
    const thai = 'ผมชื่อสมชายและวันนี้เราจะพูดเกี่ยวกับงบประมาณของปีหน้าที่สำนักงานใหญ่'
    expect(linesOf(thai, 6).flat().join('')).toBe(thai)
  })

  it('a character that is made of several is never cut', () => {
    const family = '👩‍👩‍👧‍👦'
    expect(columns(family)).toBe(2)
    expect(columns('e\u0301')).toBe(1)
    expect(linesOf(family.repeat(30), 6)).toEqual([[family.repeat(21), family.repeat(9)]])
  })
})

describe('room for a speaker’s name', () => {
  const text = 'The budget is fifty thousand dollars.'
  const linesAt = (...segments: Segment[]) =>
    captionsOf(segments, (speaker) => `${speaker}: `).map(({ lines }) => lines.length)

  it('is left where the speaker begins or talks over another, not while the speaker goes on', () => {
    expect(
      linesAt(
        segment(0, 3000, text, 'channel-1'),
        segment(3000, 6000, text, 'channel-1'),
        segment(6000, 9000, text, 'channel-1'),
        segment(8000, 8500, 'No.', 'channel-2'),
        segment(9000, 12_000, text, 'channel-1'),
        segment(12_000, 15_000, text, 'channel-1'),
      ),
    ).toEqual([2, 1, 2, 1, 2, 1])
  })

  it('is not left when there is no name to show', () => {
    expect(linesAt(segment(0, 3000, text), segment(3000, 6000, text, ' '))).toEqual([1, 1])
  })
})

describe('how long captions stay', () => {
  const times = (segments: Segment[]) =>
    captionsOf(segments).map(({ startMs, endMs, speaker }) => [startMs, endMs, speaker])

  it('a short word stays about 0.8 s, but not into the same speaker’s next one', () => {
    expect(times([segment(1000, 1100, 'Yes.', 'a'), segment(5000, 5100, 'No.', 'a')])).toEqual([
      [1000, 1833, 'a'],
      [5000, 5833, 'a'],
    ])
    expect(times([segment(1000, 1100, 'Yes.', 'a'), segment(1400, 3000, 'Of course.', 'a')])).toEqual([
      [1000, 1400, 'a'],
      [1400, 3000, 'a'],
    ])
  })

  it('speakers may overlap each other, never themselves', () => {
    expect(
      times([
        segment(0, 4000, 'I think so.', 'a'),
        segment(1000, 2000, 'Do you?', 'b'),
        segment(3000, 5000, 'Yes.', 'a'),
        segment(3000, 3000, 'Well.', 'a'),
      ]),
    ).toEqual([
      [0, 3000, 'a'],
      [1000, 2000, 'b'],
      [3000, 3001, 'a'],
      [3001, 3833, 'a'],
    ])
  })

  it('a slow sentence becomes several captions, a word that lasts for ever is taken away after 7 s', () => {
    const slow = captionsOf([segment(0, 20_000, 'One thing, and then another one.')])
    expect(slow.length).toBeGreaterThanOrEqual(3)
    expect(Math.max(...slow.map(({ startMs, endMs }) => endMs - startMs))).toBeLessThanOrEqual(7000)
    expect(times([segment(0, 60_000, 'Hmm.')])).toEqual([[0, 7000, undefined]])
  })

  it('uses the words’ times where the words are those of the text, else the segment’s', () => {
    const one = segment(0, 4000, 'Yes.')
    const timed = [{ text: 'Yes.', startMs: 2000, endMs: 3000, probability: 1 }]
    expect(times([{ ...one, words: timed }])).toEqual([[2000, 3000, undefined]])
    expect(times([{ ...one, words: [{ ...timed[0]!, text: 'No.' }] }])).toEqual([[0, 4000, undefined]])
    expect(times([{ ...one, words: [] }])).toEqual([[0, 4000, undefined]])
  })
})

describe('whatever is said', () => {
  const VOCABULARY = [
    'a',
    'I',
    'budget',
    'meeting,',
    'Friday.',
    'and',
    '预算',
    'คน',
    '👍🏽',
    'internationalisation',
    'x'.repeat(60),
    'مرحبا',
    '—',
  ]

  it('captions hold all of the text, in order, within every limit', () => {
    let state = 7
    const random = (n: number) => {
      state = (state * 48_271) % 2_147_483_647
      return state % n
    }
    for (let round = 0; round < 150; round++) {
      const segments = Array.from({ length: 1 + random(4) }, (_, i) => {
        const text = Array.from(
          { length: 1 + random(60) },
          () => VOCABULARY[random(VOCABULARY.length)]!,
        ).join(' ')
        return segment(i * 3000, i * 3000 + random(30_000), text, `s${random(2)}`)
      })
      const captions = captionsOf(segments)
      for (const speaker of ['s0', 's1']) {
        const own = captions.filter((caption) => caption.speaker === speaker)
        for (const [i, { startMs, endMs, lines }] of own.entries()) {
          expect(endMs).toBeGreaterThan(startMs)
          expect(endMs - startMs).toBeLessThanOrEqual(7000)
          expect(endMs).toBeLessThanOrEqual(own[i + 1]?.startMs ?? endMs)
          expect(lines.length).toBeGreaterThanOrEqual(1)
          expect(lines.length).toBeLessThanOrEqual(2)
          for (const line of lines) {
            expect(line).not.toBe('')
            expect(columns(line)).toBeLessThanOrEqual(42)
          }
        }
      }
      const letters = (text: string) => Array.from(text.replace(/\s/g, '')).sort().join('')
      expect(letters(captions.flatMap(({ lines }) => lines).join(''))).toBe(
        letters(segments.map(({ text }) => text).join('')),
      )
    }
  })
})
