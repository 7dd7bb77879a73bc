import { describe, expect, it } from '@jest/globals'
import { guardSegments } from '../../../lib/core/transcript/guards.ts'
import type { HeardSegment } from '../../../lib/core/transcript/shape.ts'
import { wordsFromText } from '../../../lib/core/transcript/words.ts'

const heard = (text: string, more: Partial<HeardSegment> = {}): HeardSegment => ({
  startMs: 0,
  endMs: 9000,
  text,
  words: wordsFromText({ text, startMs: 0, endMs: 9000 }),
  avgLogprob: -0.2,
  noSpeechProb: 0.01,
  compressionRatio: 1.1,
  ...more,
})

const NOTHING = { empty: 0, annotation: 0, 'no-speech': 0, 'low-confidence': 0, repetitive: 0 }

describe('what the engine made up', () => {
  it.each([
    ['empty', heard('')],
    ['empty', heard('  \n')],
    ['empty', heard(' ... ')],
    ['annotation', heard('[BLANK_AUDIO]')],
    ['annotation', heard(' (music) ')],
    ['annotation', heard('*sighs*')],
    ['annotation', heard('♪♪')],
    ['annotation', heard('[Music] (applause) ♪')],
    ['annotation', heard('【音楽】（拍手）')],
    ['no-speech', heard('Thank you.', { noSpeechProb: 0.61, avgLogprob: -1.01 })],
    ['low-confidence', heard('Thank you.', { avgLogprob: -1.31 })],
    ['repetitive', heard('ha ha ha ha ha', { compressionRatio: 2.41 })],
  ] as const)('is dropped as %s', (reason, segment) => {
    expect(guardSegments([segment])).toEqual({ kept: [], dropped: { ...NOTHING, [reason]: 1 }, loops: 0 })
  })

  it.each([
    [
      'at each threshold',
      heard('Thank you.', { noSpeechProb: 0.6, avgLogprob: -1.3, compressionRatio: 2.4 }),
    ],
    ['silence that the engine is sure about', heard('Yes.', { noSpeechProb: 0.9, avgLogprob: -1 })],
    ['words beside an annotation', heard('(laughs) Yes.')],
    ['a song’s words', heard('♪ la la la ♪')],
    ['numbers', heard('42')],
    ['Arabic', heard('نعم')],
    [
      'measures that are missing',
      heard('Yes.', { avgLogprob: NaN, noSpeechProb: NaN, compressionRatio: NaN }),
    ],
    ['a phrase said twice', heard('I do not know, I do not know.')],
    ['two words said three times', heard('no way no way no way')],
    [
      'a repetition inside much else',
      heard('so I said go back home go back home go back home and then we all went there'),
    ],
  ])('is not: %s', (_, segment) => {
    expect(guardSegments([segment])).toEqual({ kept: [segment], dropped: NOTHING, loops: 0 })
  })

  it('counts over many segments and keeps their order', () => {
    const one = heard('One.')
    const two = heard('Two.')
    const { kept, dropped } = guardSegments([heard(''), one, heard('(music)'), two, heard('')])
    expect(kept).toEqual([one, two])
    expect(dropped).toEqual({ ...NOTHING, empty: 2, annotation: 1 })
  })
})

describe('a loop', () => {
  const once = 'Thanks for watching.'

  it('is said once, with the times of its words, in spite of its compression ratio', () => {
    const segment = heard(Array(6).fill(once).join(' '), { compressionRatio: 5.4 })
    const { kept, loops } = guardSegments([segment])
    expect(loops).toBe(1)
    expect(kept).toEqual([
      {
        ...segment,
        text: once,
        words: segment.words.slice(0, 3),
        endMs: segment.words[2]!.endMs,
        compressionRatio: expect.closeTo(0.9),
      },
    ])
    expect(guardSegments(kept).kept).toEqual(kept)
  })

  it.each([
    [
      'words in front stay',
      'Well, I will see you I will see you, I WILL SEE YOU. I will see you',
      'Well, I will see you',
    ],
    ['a broken-off last time goes', 'see you soon see you soon see you soon see', 'see you soon'],
    ['words behind stay', 'see you soon see you soon see you soon see you soon Bob.', 'see you soon Bob.'],
    [
      'three times are enough',
      'see you all very soon, see you all very soon, see you all very soon.',
      'see you all very soon,',
    ],
    ['six words', 'a b c d e f a b c d e f a b c d e f', 'a b c d e f'],
    ['Chinese keeps its spacing', '我们讨论预算。我们讨论预算。我们讨论预算。', '我们讨论预算。'],
  ])('%s', (_, text, expected) => {
    expect(guardSegments([heard(text)]).kept.map((segment) => segment.text)).toEqual([expected])
  })

  it('in silence is no speech at all', () => {
    const segment = heard('see you soon see you soon see you soon', { noSpeechProb: 0.9, avgLogprob: -1.1 })
    expect(guardSegments([segment])).toEqual({ kept: [], dropped: { ...NOTHING, 'no-speech': 1 }, loops: 0 })
  })
})
