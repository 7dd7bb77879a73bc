import { describe, expect, it } from '@jest/globals'
import { folded, matchWords } from '../../bench/live/align.ts'
import { latency, wordFigures } from '../../bench/live/figures.ts'
import type { Seen } from '../../bench/live/play.ts'
import { meeting } from '../../bench/live/recording.ts'

/** `word@second`, half a second each. */
const timed = (text: string) =>
  text.split(' ').map((part) => {
    const [word = '', at] = part.split('@')
    return { text: word, startMs: Number(at) * 1000, endMs: Number(at) * 1000 + 500, probability: 1 }
  })

const segment = (id: number, text: string, speaker: string, final = true) => {
  const words = timed(text)
  const plain = words.map((word) => word.text).join(' ')
  const [startMs, endMs] = [words[0]!.startMs, words.at(-1)!.endMs]
  return { id, startMs, endMs, text: plain, speaker, words, final, revision: 1 }
}

describe('matching heard words to said ones', () => {
  it.each([
    ['passes over a wrong word', 'we@0 need@1 ten@2 chairs@3', 'we@0 need@1 men@2 chairs@3', [0, 1, -1, 3]],
    ['passes over a lost word and one too many', 'one@0 two@1 three@2', 'so@0 one@0 three@2', [1, -1, 2]],
    ['takes a word that was said twice for the one at its time', 'yes@0 yes@9', 'yes@9', [-1, 0]],
    ['folds case and punctuation away', 'Yes,@0 Ann.@1', 'yes@0 ann@1', [0, 1]],
    ['finds nothing in nothing', 'one@0', '', [-1]],
  ])('%s', (_, said, heard, matches) => {
    const words = heard === '' ? [] : folded(timed(heard))
    expect(matchWords(folded(timed(said)), words)).toEqual(matches)
  })
})

describe('the figures of a session', () => {
  const words = timed('We@0 need@1 ten@2 chairs.@3')
  const sentence = { text: 'We need ten chairs.', startMs: 0, endMs: 3500, voice: 'Ann', words }
  const recording = {
    pcm16: new Int16Array(0),
    durationMs: 6000,
    sentences: [sentence],
    text: sentence.text,
  }
  const finals = [
    { atMs: 4000, segment: segment(0, 'we@0 need@1', 'Ann') },
    { atMs: 7000, segment: segment(1, 'men@2 chairs@3', 'Bob') },
  ]
  const seen: Seen = {
    drafts: [
      { atMs: 3000, segment: segment(0, 'we@0 knead@1', 'Ann', false) },
      { atMs: 6500, segment: segment(1, 'ten@2', 'Bob', false) },
    ],
    finals,
    last: finals.map((it) => it.segment),
  }

  it('count from the end of each word to its first right draft or final, and to its final', () => {
    const { shownMs, finalMs } = wordFigures(recording, seen)
    expect(shownMs).toEqual([2500, 2500, 4000, 3500])
    expect(finalMs).toEqual([3500, 2500, 3500])
  })

  it('count words wrong in finals, and right words with the right name', () => {
    expect(wordFigures(recording, seen)).toMatchObject({ said: 4, errors: 1, named: 2 })
  })

  it('say the nearest rank', () => {
    const delays = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect(latency(delays)).toEqual({ p50Ms: 50, p95Ms: 95, mostMs: 100 })
  })
})

it('a long meeting is the short one again, with the words where they are said', () => {
  const [once, long] = [meeting(180), meeting(400)]
  expect(long.sentences.length).toBeGreaterThan(2 * once.sentences.length)
  const [first, again] = [once.sentences[0]!, long.sentences[once.sentences.length]!]
  expect(again.text).toBe(first.text)
  const sound = ({ startMs, endMs }: typeof first) => long.pcm16.slice(startMs * 16, endMs * 16)
  // Within the rounding of the times to milliseconds.
  const [a, b] = [sound(first), sound(again)]
  const best = Math.min(...Array.from({ length: 33 }, (_, lag) => differ(a, b, lag - 16)))
  expect(best).toBeLessThan(10)
})

const differ = (a: Int16Array, b: Int16Array, lag: number): number => {
  let sum = 0
  for (let i = 100; i < a.length - 100; i++) sum += Math.abs(a[i]! - b[i + lag]!)
  return sum / a.length
}
