import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { detectionForm, transcriptionForm } from '../../../lib/adapters/whisper/hear.ts'
import type { WhisperEngine } from '../../../lib/adapters/whisper/pool.ts'
import type { HeardSegment } from '../../../lib/core/transcript/shape.ts'
import { miniEngine } from '../../support/engine.ts'
import { type Reference, readReference } from '../../support/reference.ts'
import { codeOf, german, repeat, sample, textOf } from './support.ts'

const SHORT = 'Please send the report to Alice before Friday.'
const GERMAN = 'Der Kunde wartet auf eine Antwort.'

/** Middle of the sorted distances between heard and spoken starts of words, in ms. */
function medianStartError(heard: readonly HeardSegment[], spoken: Reference): number {
  const starts = spoken.sentences.flatMap((sentence) => sentence.words.map((word) => word.startMs))
  const words = heard.flatMap((segment) => segment.words)
  expect(words.length).toBe(starts.length)
  const errors = words.map((word, index) => Math.abs(word.startMs - starts[index]!)).sort((a, b) => a - b)
  return errors[Math.floor(errors.length / 2)]!
}

describe('how far a request looks', () => {
  const placesOf = (seconds: number, brief?: boolean) =>
    transcriptionForm(new Int16Array(seconds * 16_000), {
      language: 'en',
      brief,
    }).fields.audio_ctx

  it('is said in every request, 0 for the whole 30 s', () => {
    expect(placesOf(3)).toBe('0')
    expect(placesOf(3, false)).toBe('0')
    expect(detectionForm(new Int16Array(16_000)).fields.audio_ctx).toBe('0')
  })

  it.each([
    [1, '256'],
    [3, '256'],
    [6, '364'],
    [20, '1064'],
    [28.5, '1489'],
    [29, '0'],
    [60, '0'],
  ])('is as long as the sound and a second more when it is brief: %d s', (seconds, places) => {
    expect(placesOf(seconds, true)).toBe(places)
  })
})

describe('what the engine hears', () => {
  let engine: WhisperEngine
  beforeAll(async () => {
    engine = await miniEngine()
  })
  afterAll(() => engine.close())

  it('is exactly what was said, with the times of the words', async () => {
    const heard = await engine.hear(sample('short.wav'), { language: 'en' })
    expect(textOf(heard)).toBe(SHORT)
    expect(heard[0]?.words.map((word) => word.text).join(' ')).toBe(SHORT)
    expect(medianStartError(heard, readReference('short'))).toBeLessThan(300)
  })

  it('is exactly what was said in a minute of talk that needs more than one window', async () => {
    const spoken = readReference('meeting60')
    const heard = await engine.hear(sample('meeting60.wav'), {
      language: 'en',
    })
    expect(textOf(heard)).toBe(spoken.text)
    expect(medianStartError(heard, spoken)).toBeLessThan(300)
  })

  it('has whole milliseconds, in order, inside the sound, and sane measures', async () => {
    const pcm16 = sample('short.wav')
    const lengthMs = (pcm16.length / 16_000) * 1000
    for (const segment of await engine.hear(pcm16, { language: 'en' })) {
      const times = [segment.startMs, ...segment.words.flatMap((word) => [word.startMs, word.endMs])]
      expect(times).toEqual(times.toSorted((a, b) => a - b).map(Math.round))
      expect(segment.endMs).toBeLessThanOrEqual(lengthMs)
      expect(segment.avgLogprob).toBeLessThan(0)
      expect(segment.avgLogprob).toBeGreaterThan(-0.5)
      expect(segment.noSpeechProb).toBeLessThan(0.5)
      expect(segment.compressionRatio).toBeGreaterThan(0.5)
      expect(segment.compressionRatio).toBeLessThan(2.4)
    }
  })

  it('is nothing in silence, in no sound at all and in a fifth of a second of it', async () => {
    expect(await engine.hear(new Int16Array(10 * 16_000), { language: 'en' })).toEqual([])
    expect(await engine.hear(new Int16Array(0), { language: 'en' })).toEqual([])
    expect(await engine.hear(new Int16Array(3200), { language: 'en' })).toEqual([])
  })

  it('stays inside a clip of a fifth of a second', async () => {
    const heard = await engine.hear(sample('short.wav').subarray(16_000, 19_200), { language: 'en' })
    for (const { endMs, words } of heard) {
      expect(Math.max(endMs, ...words.map((word) => word.endMs))).toBeLessThanOrEqual(200)
    }
  })

  it('is the same with a prompt, whatever characters it holds and however long it is', async () => {
    const prompt = `"Alice"; \r\n--boundary\r\n 日本語 ${'Friday report '.repeat(150)}`
    const heard = await engine.hear(sample('short.wav'), {
      language: 'en',
      prompt,
    })
    expect(textOf(heard)).toBe(SHORT)
  })

  it('is the same with less effort, and does not become less for the requests after it', async () => {
    for (const brief of [true, false, true]) {
      expect(textOf(await engine.hear(sample('short.wav'), { language: 'en', brief }))).toBe(SHORT)
      const minute = textOf(await engine.hear(sample('meeting60.wav'), { language: 'en' }))
      expect(minute.split(' ')).toHaveLength(117)
      expect((await engine.detectLanguage(german())).language).toBe('de')
    }
  })

  it('is the same with less effort when it is longer than a window', async () => {
    const hear = async (brief: boolean) =>
      textOf(await engine.hear(sample('meeting60.wav'), { language: 'en', brief }))
    expect(await hear(true)).toBe(await hear(false))
  })

  it('is in the language of the request, whatever the requests before it were', async () => {
    for (let round = 0; round < 2; round += 1) {
      expect(textOf(await engine.hear(german(), { language: 'de' }))).toBe(GERMAN)
      expect(textOf(await engine.hear(sample('short.wav'), { language: 'en' }))).toBe(SHORT)
      expect((await engine.detectLanguage(german())).language).toBe('de')
      expect(textOf(await engine.hear(sample('short.wav'), { language: 'en' }))).toBe(SHORT)
    }
  })

  it('is told apart by language, with a probability', async () => {
    const english = await engine.detectLanguage(sample('short.wav'))
    expect(english).toEqual({
      language: 'en',
      probability: expect.any(Number),
    })
    expect(english.probability).toBeGreaterThan(0.9)
    expect((await engine.detectLanguage(german())).probability).toBeGreaterThan(0.9)
    expect((await engine.detectLanguage(repeat(german(), 20))).language).toBe('de')
  })

  it.each(['auto', 'xx', 'EN', 'english', ''])('is refused for the language "%s"', async (language) => {
    expect(await codeOf(engine.hear(sample('short.wav'), { language }))).toBe('unknown-language')
  })
})
