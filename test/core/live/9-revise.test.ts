import { describe, expect, it } from '@jest/globals'
import { reviseSegments } from '../../../lib/core/live/9-revise.ts'
import type { LiveSegment } from '../../../lib/core/live/segment.ts'
import type { Word } from '../../../lib/core/transcript/shape.ts'

const word = (text: string, startMs: number): Word => ({
  text,
  startMs,
  endMs: startMs + 300,
  probability: 1,
})

const live = (id: number, startMs: number, endMs: number, text = 'x'): LiveSegment => ({
  ...{ id, startMs, endMs, text, words: [word(text, startMs)], final: true, revision: 1 },
})

const revise = (segments: LiveSegment[], words: Word[], speakers: (string | undefined)[] = []) =>
  reviseSegments(segments, words, speakers).map(({ id, text, revision }) => [id, text, revision])

describe('the second hearing', () => {
  it('puts its words into the captions they were said in, which keep their ids', () => {
    const words = [word('good', 100), word('morning', 450), word('all', 2100)]
    expect(revise([live(0, 0, 1000), live(1, 2000, 3000)], words)).toEqual([
      [0, 'good morning', 2],
      [1, 'all', 2],
    ])
  })

  it('counts as one more revision, after a name that came late too', () => {
    const named = { ...live(0, 0, 1000), speaker: 'Ann', revision: 2 }
    expect(revise([named, live(1, 1000, 2000)], [word('a', 100)])).toEqual([
      [0, 'a', 3],
      [1, '', 2],
    ])
  })

  it('leaves a caption without words empty', () => {
    expect(revise([live(0, 0, 1000), live(1, 1000, 2000)], [word('a', 100)])).toEqual([
      [0, 'a', 2],
      [1, '', 2],
    ])
  })

  it('gives a word between two captions to the nearer one', () => {
    const segments = [live(0, 0, 1000), live(1, 3000, 4000)]
    expect(revise(segments, [word('a', 1100), word('b', 2500)])).toEqual([
      [0, 'a', 2],
      [1, 'b', 2],
    ])
  })

  it('makes new captions at the end of what was said far from any', () => {
    const segments = [live(0, 0, 1000), live(1, 60_000, 61_000)]
    const words = [
      word('a', 100),
      word('far', 20_000),
      word('away', 20_400),
      word('else', 40_000),
      word('b', 60_100),
    ]
    expect(revise(segments, words)).toEqual([
      [0, 'a', 2],
      [1, 'b', 2],
      [2, 'far away', 1],
      [3, 'else', 1],
    ])
  })

  it('names a caption after who says most of it, or nobody', () => {
    const words = [word('a', 0), word('b', 400), word('c', 800), word('d', 2000), word('e', 2400)]
    const speakers = ['Ann', 'Ann', 'Bob', 'Ann', 'Bob']
    const revised = reviseSegments([live(0, 0, 1200), live(1, 2000, 3000)], words, speakers)
    expect(revised.map(({ speaker }) => speaker)).toEqual(['Ann', undefined])
  })

  it('neither loses nor doubles a word, whatever the captions', () => {
    const words = Array.from({ length: 500 }, (_, i) => word(`w${i}`, i * 700 + ((i * 7919) % 400)))
    const segments = Array.from({ length: 60 }, (_, i) =>
      live(i, i * 5000 + ((i * 104729) % 3000), i * 5000 + 4000),
    )
    const said = reviseSegments(segments, words, []).flatMap((segment) =>
      segment.words.map(({ text }) => text),
    )
    expect(said.sort()).toEqual(words.map(({ text }) => text).sort())
  })
})
