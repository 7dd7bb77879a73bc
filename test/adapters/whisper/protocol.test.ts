import { describe, expect, it } from '@jest/globals'
import { compressionRatio, heardSegments, likeliestLanguage } from '../../../lib/adapters/whisper/protocol.ts'
import { restartDelayMs } from '../../../lib/adapters/whisper/restart.ts'

const segment = (more: object) => ({
  start: 0,
  end: 1,
  text: ' Hello there.',
  words: [
    { word: ' Hello', start: 0.1, end: 0.5, probability: 0.9 },
    { word: ' there', start: 0.5, end: 0.9, probability: 0.8 },
    { word: '.', start: 0.9, end: 0.9, probability: 0.7 },
  ],
  avg_logprob: -0.2,
  no_speech_prob: 0.01,
  ...more,
})
const reply = (...segments: object[]) => JSON.stringify({ text: '', segments })

describe("the server's reply", () => {
  it('becomes segments with words', () => {
    const [heard] = heardSegments(reply(segment({})), 3000, 'en')
    expect(heard).toMatchObject({ startMs: 0, endMs: 1000, text: 'Hello there.', avgLogprob: -0.2 })
    expect(heard?.words.map((word) => word.text)).toEqual(['Hello', 'there.'])
  })

  it('is clipped to the true length of the sound; what lies behind it was never said', () => {
    const heard = heardSegments(reply(segment({}), segment({ start: 0.8, end: 1.1 })), 700, 'en')
    expect(heard).toHaveLength(1)
    expect(heard[0]?.endMs).toBe(700)
    for (const { startMs, endMs } of heard[0]!.words) {
      expect(startMs).toBeLessThanOrEqual(endMs)
      expect(endMs).toBeLessThanOrEqual(700)
    }
  })

  it('may lack words, times and probabilities', () => {
    const bare = { start: 0, end: 1, text: 'Hello there.', avg_logprob: null, no_speech_prob: null }
    const [heard] = heardSegments(reply(bare), 1000, 'en')
    expect(heard?.words.map((word) => word.text)).toEqual(['Hello', 'there.'])
    expect(heard?.avgLogprob).toBeLessThan(-1.3)
    expect(heardSegments(reply(segment({ text: '  ' })), 1000, 'en')).toEqual([])
    expect(heardSegments(reply(), 1000, 'en')).toEqual([])
  })

  it.each(['', '<html>', '{"error":"no speech of ours"}', '{"text":"secret words"}', 'null', '[]'])(
    'of another shape (%s) is a failure of the engine that quotes nothing',
    (body) => {
      for (const read of [() => heardSegments(body, 1000, 'en'), () => likeliestLanguage(body)]) {
        let thrown: unknown
        try {
          read()
        } catch (error) {
          thrown = error
        }
        expect(thrown).toMatchObject({ code: 'engine-crashed' })
        expect((thrown as Error).cause).toBeUndefined()
        expect(String(thrown)).not.toMatch(/speech of|secret/)
      }
    },
  )

  it('names the likeliest language', () => {
    const body = JSON.stringify({ language_probabilities: { en: 0.2, de: 0.7, nl: 0.1 } })
    expect(likeliestLanguage(body)).toEqual({ language: 'de', probability: 0.7 })
  })

  it('is the more compressible the more it repeats itself', () => {
    expect(compressionRatio('Thank you for watching. '.repeat(20))).toBeGreaterThan(2.4)
    expect(compressionRatio('Please send the report to Alice before Friday.')).toBeLessThan(1.5)
  })
})

describe('restarting a process that died', () => {
  it.each([
    ['never', [], 100_000, 0],
    ['once', [99_999], 100_000, 0],
    ['twice', [99_000, 99_999], 100_000, 100],
    ['four times', [97_000, 98_000, 99_000, 99_999], 100_000, 400],
    ['five times within a minute', [50_000, 60_000, 70_000, 80_000, 99_000], 100_000, undefined],
    ['five times within a minute, half a minute ago', [50_000, 60_000, 65_000, 68_000, 69_000], 100_000, 800],
    ['five times in an hour', [0, 900_000, 1_800_000, 2_700_000, 3_600_000], 3_600_001, 800],
  ])('waits as long as it should after it died %s', (_, crashes, now, delayMs) => {
    expect(restartDelayMs(crashes, now)).toBe(delayMs)
  })
})
