import { describe, expect, it } from '@jest/globals'
import { joinWords, type NamedWord, toCaptions } from '../../../lib/core/live/6-segment.ts'

/** `Ann: so we go | Bob: yes.`: words of 200 ms, 100 ms apart; `_` is a second of silence. */
function said(script: string): NamedWord[] {
  const words: NamedWord[] = []
  let ms = 0
  for (const turn of script.split('|')) {
    const [, speaker, text] = /^\s*(?:(\w+):)?(.*)$/.exec(turn)!
    for (const word of text!.trim().split(/\s+/)) {
      if (word === '_') ms += 1000
      else words.push({ word: { text: word, startMs: ms, endMs: ms + 200, probability: 1 }, speaker })
      ms += 300
    }
  }
  return words
}

const texts = (segments: readonly { text: string; speaker?: string | undefined }[]) =>
  segments.map(({ text, speaker }) => (speaker ? `${speaker}: ${text}` : text))

describe('settled words', () => {
  it('become one caption while one speaker goes on', () => {
    const { finals } = toCaptions(said('Ann: so we go on'), [], 7)
    expect(finals).toMatchObject([
      { id: 7, text: 'so we go on', speaker: 'Ann', startMs: 0, endMs: 1100, final: true, revision: 1 },
    ])
    expect(finals[0]!.words).toHaveLength(4)
  })

  it.each([
    ['where the speaker changes', 'Ann: so we go | Bob: yes', ['Ann: so we go', 'Bob: yes']],
    ['where a name is missing', 'Ann: so | we go', ['Ann: so', 'we go']],
    ['at a pause of a second', 'so we _ go', ['so we', 'go']],
    ['at the end of a sentence, once they are many', 'a b c d e f g h. i', ['a b c d e f g h.', 'i']],
    ['not at the end of a short sentence', 'a b. c d', ['a b. c d']],
    [
      'when they are too many for a screen',
      Array.from({ length: 30 }, (_, i) => `w${i}`).join(' '),
      [Array.from({ length: 24 }, (_, i) => `w${i}`).join(' '), 'w24 w25 w26 w27 w28 w29'],
    ],
  ])('are cut %s', (_, script, captions) => {
    expect(texts(toCaptions(said(script), [], 0).finals)).toEqual(captions)
  })

  it('are followed by drafts, whose ids go on from theirs', () => {
    const { finals, drafts } = toCaptions(said('a b'), said('c | Bob: d'), 3)
    expect(finals.map(({ id, final }) => [id, final])).toEqual([[3, true]])
    expect(drafts.map(({ id, final }) => [id, final])).toEqual([
      [4, false],
      [5, false],
    ])
  })

  it('that there are none of become nothing', () => {
    expect(toCaptions([], [], 0)).toEqual({ finals: [], drafts: [] })
  })
})

describe('the text of words', () => {
  it.each([
    [['Good', 'morning.'], 'Good morning.'],
    [['今日', 'は', '元気', '。'], '今日は元気。'],
    [['Siri', 'と', '話す'], 'Siri と話す'],
    [['สวัสดี', 'ครับ'], 'สวัสดีครับ'],
  ])('%j is written as their language writes it', (texts, text) => {
    const words = texts.map((it, i) => ({ text: it, startMs: i, endMs: i + 1, probability: 1 }))
    expect(joinWords(words)).toBe(text)
  })
})
