import { describe, expect, it } from '@jest/globals'
import { errorsBetween, pausesIn } from '../../bench/long/words.ts'

const at = (text: string, startMs: number) => ({ text, startMs, endMs: startMs + 400 })

/** Two sentences, and a long pause between them. */
const said = [at('Good', 0), at('morning.', 500), at('We', 5_000), at('begin', 5_500), at('now.', 6_000)]

describe('words of hours, compared piece by piece', () => {
  it('are parted in the middle of long pauses', () => {
    expect(pausesIn(said)).toEqual([2_950])
  })

  it('are not parted where nobody pauses', () => {
    expect(pausesIn(said.slice(0, 2))).toEqual([])
    expect(pausesIn([])).toEqual([])
  })

  it.each<[string, typeof said, number]>([
    ['none', said, 0],
    ['case and punctuation aside', [at('good', 0), at('Morning', 500), ...said.slice(2)], 0],
    ['one lost', said.slice(1), 1],
    ['one doubled', [...said.slice(0, 2), at('morning', 900), ...said.slice(2)], 1],
    ['one other', [at('bad', 0), ...said.slice(1)], 1],
    ['one on the wrong side of a pause counts on both', [...said.slice(1), at('good', 6_500)], 2],
    ['all lost', [], 5],
  ])('errors: %s', (_, heard, errors) => {
    expect(errorsBetween(said, heard, pausesIn(said))).toBe(errors)
  })
})
