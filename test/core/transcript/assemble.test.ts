import { describe, expect, it } from '@jest/globals'
import { type AssembleInput, assemble, type WindowHeard } from '../../../lib/core/transcript/assemble.ts'
import { type HeardSegment, Transcript } from '../../../lib/core/transcript/shape.ts'
import { wordsFromText } from '../../../lib/core/transcript/words.ts'

const heard = (startMs: number, endMs: number, text: string): HeardSegment => ({
  startMs,
  endMs,
  text,
  words: wordsFromText({ text, startMs, endMs }),
  avgLogprob: -0.1,
  noSpeechProb: 0,
  compressionRatio: 1,
})

const window = (
  channel: number,
  startMs: number,
  endMs: number,
  ...segments: HeardSegment[]
): WindowHeard => ({
  channel,
  startMs,
  endMs,
  segments,
})

const from = (windows: WindowHeard[], more: Partial<AssembleInput> = {}): Transcript =>
  assemble({
    jobId: 'job',
    createdAt: '2026-01-02T03:04:05.000Z',
    durationMs: 60_000,
    language: { code: 'en', detected: true, probability: 0.9 },
    engine: { name: 'whisper.cpp', version: '1', model: 'mini' },
    separate: false,
    windows,
    warnings: ['truncated'],
    ...more,
  })

describe('assembling a transcript', () => {
  it('shifts windows to the recording’s clock and numbers segments in order', () => {
    const transcript = from([
      window(0, 20_000, 40_000, heard(500, 1500, ' Third.')),
      window(0, 1000, 20_000, heard(0, 900, ' First one.'), heard(1000, 2000, 'Second.')),
    ])
    expect(transcript.segments.map(({ id, startMs, endMs, text }) => [id, startMs, endMs, text])).toEqual([
      [0, 1000, 1900, 'First one.'],
      [1, 2000, 3000, 'Second.'],
      [2, 20_500, 21_500, 'Third.'],
    ])
    expect(transcript.segments[0]!.words.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [1000, 1450],
      [1540, 1900],
    ])
    expect(transcript.text).toBe('First one. Second. Third.')
    expect(Transcript.parse(transcript)).toEqual(transcript)
    expect(transcript.segments.some((segment) => 'speaker' in segment)).toBe(false)
  })

  it('names the channel as the speaker only when channels are separate; the channel decides ties', () => {
    const windows = [
      window(1, 0, 9000, heard(0, 800, 'B'), heard(2000, 2500, 'D')),
      window(0, 0, 9000, heard(0, 900, 'A'), heard(1000, 4000, 'C')),
    ]
    expect(from(windows, { separate: true }).segments.map(({ speaker, text }) => [speaker, text])).toEqual([
      ['channel-1', 'A'],
      ['channel-2', 'B'],
      ['channel-1', 'C'],
      ['channel-2', 'D'],
    ])
  })

  it('clips to the window and the recording, and keeps every word', () => {
    const transcript = from(
      [window(0, 50_000, 70_000, heard(9000, 12_000, 'one two three'), heard(11_000, 11_500, 'very late'))],
      { durationMs: 60_000 },
    )
    expect(transcript.text).toBe('one two three very late')
    for (const { startMs, endMs, words } of transcript.segments) {
      expect(endMs).toBeLessThanOrEqual(60_000)
      expect(endMs).toBeGreaterThan(startMs)
      for (const word of words) {
        expect(word.startMs).toBeGreaterThanOrEqual(startMs)
        expect(word.endMs).toBeGreaterThan(word.startMs)
        expect(word.endMs).toBeLessThanOrEqual(endMs)
      }
    }
  })

  it('has no language and no text when nothing was spoken', () => {
    const transcript = from([window(0, 0, 5000), window(0, 5000, 9000, heard(0, 100, '  '))])
    expect(transcript).toMatchObject({ language: null, text: '', segments: [], warnings: ['truncated'] })
    expect(Transcript.safeParse(transcript).success).toBe(true)
  })

  it('keeps the language as it was found out', () => {
    const windows = [window(0, 0, 5000, heard(0, 900, 'Yes.'))]
    expect(from(windows).language).toEqual({ code: 'en', detected: true, probability: 0.9 })
    expect(from(windows, { language: { code: 'de', detected: false } }).language).toEqual({
      code: 'de',
      detected: false,
    })
  })
})
