import { describe, expect, it } from '@jest/globals'
import { nameTranscript } from '../../../lib/core/live/name-transcript.ts'
import { TRANSCRIPT_FORMAT, type Transcript } from '../../../lib/core/transcript/shape.ts'

/** One segment a line; each word lasts 300 ms, 100 ms apart. */
function transcript(...lines: string[]): Transcript {
  let ms = 0
  const segments = lines.map((text, id) => {
    const words = text.split(' ').map((word) => {
      const startMs = ms
      ms += 400
      return { text: word, startMs, endMs: startMs + 300, probability: 1 }
    })
    return { id, startMs: words[0]!.startMs, endMs: words.at(-1)!.endMs, text, words }
  })
  return {
    ...{ format: TRANSCRIPT_FORMAT, jobId: 'j', createdAt: '2026-01-01T00:00:00.000Z', durationMs: ms },
    ...{ language: { code: 'en', detected: false }, engine: { name: 'e', version: '1', model: 'm' } },
    ...{ text: lines.join(' '), segments, warnings: [] },
  }
}

const told = ({ segments }: Transcript) => segments.map(({ id, speaker, text }) => [id, speaker, text])

describe('the transcript of a session', () => {
  it('gets the names of its speakers, and is cut where they change', () => {
    const named = nameTranscript(transcript('good morning all', 'so we go on then'), [
      { fromMs: 0, name: 'Ann' },
      { fromMs: 1950, name: 'Bob' },
    ])
    expect(told(named)).toEqual([
      [0, 'Ann', 'good morning all'],
      [1, 'Ann', 'so we'],
      [2, 'Bob', 'go on then'],
    ])
    expect(named.segments[1]).toMatchObject({ startMs: 1200, endMs: 1900 })
    expect(named.segments[2]).toMatchObject({ startMs: 2000, endMs: 3100 })
  })

  it('loses no word and no time', () => {
    const before = transcript('a b c d e f', 'g h i')
    const named = nameTranscript(before, [
      { fromMs: 400, name: 'Ann' },
      { fromMs: 1300, name: undefined },
      { fromMs: 2700, name: 'Bob' },
    ])
    const words = (it: Transcript) => it.segments.flatMap((segment) => segment.words)
    expect(words(named)).toEqual(words(before))
    expect(named.text).toBe(before.text)
  })

  it('without names stays as it is', () => {
    const before = transcript('a b c')
    expect(nameTranscript(before, [])).toBe(before)
  })
})
