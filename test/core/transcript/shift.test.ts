import { describe, expect, it } from '@jest/globals'
import { shift } from '../../../lib/core/transcript/shift.ts'

const heard = {
  startMs: 500,
  endMs: 1500,
  text: 'Good morning.',
  words: [
    { text: 'Good', startMs: 500, endMs: 900, probability: 0.9 },
    { text: 'morning.', startMs: 950, endMs: 1500, probability: 0.8 },
  ],
  avgLogprob: -0.2,
  noSpeechProb: 0.01,
  compressionRatio: 1.1,
}

describe('a segment on another clock', () => {
  it('moves with all of its words, and nothing else about it changes', () => {
    expect(shift(heard, 28_000)).toEqual({
      ...heard,
      startMs: 28_500,
      endMs: 29_500,
      words: [
        { text: 'Good', startMs: 28_500, endMs: 28_900, probability: 0.9 },
        { text: 'morning.', startMs: 28_950, endMs: 29_500, probability: 0.8 },
      ],
    })
  })

  it('comes back to where it was', () => {
    expect(shift(shift(heard, 28_000), -28_000)).toEqual(heard)
  })
})
