import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Transcript } from '../../lib/core/transcript/shape.ts'
import { encode, type MediaFormat, withStereo } from '../support/media.ts'
import { readReference, samplePath } from '../support/reference.ts'
import {
  cleanUp,
  download,
  ended,
  type RunningService,
  startService,
  tempFolder,
  uploadFile,
} from '../support/service.ts'
import { compose, concat, readWav, silence, writeWav } from '../support/speak.ts'
import { foldedWords, wordErrors } from '../support/wer.ts'

// Through the whole service, with the real engine: what is said in meeting60 is heard, whatever it comes in.

let service: RunningService
let without: RunningService
let folder: string

beforeAll(async () => {
  folder = await tempFolder()
  service = await startService({ data: join(folder, 'data') })
  without = await startService({ data: join(folder, 'data-without-ffmpeg'), env: { VERBATIM_FFMPEG: 'off' } })
})
afterAll(cleanUp)

const reference = readReference('meeting60')

async function transcribe(on: RunningService, path: string, request: object = {}): Promise<Transcript> {
  const status = await ended(on, await uploadFile(on, path, { language: 'en', ...request }))
  expect(status).toMatchObject({ status: 'COMPLETED' })
  return JSON.parse(await download(status, 'json'))
}

/** How far segments begin and end from where their sentence was said, ms, for all that are one sentence. */
function timeErrors({ segments }: Transcript): number[] {
  let from = 0
  return segments.flatMap(({ text, startMs, endMs }) => {
    const said = reference.sentences.findIndex(
      (sentence, i) => i >= from && foldedWords(sentence.text).join() === foldedWords(text).join(),
    )
    if (said < 0) return []
    from = said + 1
    const sentence = reference.sentences[said]!
    return [Math.abs(startMs - sentence.startMs), Math.abs(endMs - sentence.endMs)]
  })
}

const BOTH: MediaFormat[] = [
  'wav 24-bit',
  'wav float',
  'wav mu-law 8 kHz',
  'mp3',
  'm4a',
  'flac',
  'ogg opus',
  'webm opus, streamed',
]
const ONLY_WITH_FFMPEG: MediaFormat[] = ['wav 96 kHz 24-bit', 'wma', 'mp4 video', 'mkv video']

describe.each([
  ['with ffmpeg', () => service, [...BOTH, ...ONLY_WITH_FFMPEG]],
  ['without ffmpeg', () => without, BOTH],
] as const)('a recording %s', (_, on, formats) => {
  it.each(formats)('in %s is heard right and at the right time', async (format) => {
    const path = await encode(samplePath('meeting60'), format, join(folder, `meeting-${format}`))
    const transcript = await transcribe(on(), path)
    expect(wordErrors(reference.text, transcript.text).rate).toBeLessThanOrEqual(0.1)
    const errors = timeErrors(transcript)
    // Nearly every sentence is one segment, word for word.
    expect(errors.length).toBeGreaterThanOrEqual(reference.sentences.length * 2 * 0.8)
    expect(Math.max(...errors)).toBeLessThanOrEqual(500)
    expect(Math.abs(transcript.durationMs - reference.durationMs)).toBeLessThanOrEqual(300)
  })
})

describe('a stereo recording', () => {
  /** The meeting with one voice on the left and the other on the right. */
  async function twoSides(): Promise<{ path: string; voices: readonly string[] }> {
    const { pcm16 } = readWav(samplePath('meeting60'))
    const voices = [...new Set(reference.sentences.map(({ voice }) => voice))]
    const sides = voices.map((voice) => {
      const side = new Int16Array(pcm16.length)
      for (const { startMs, endMs } of reference.sentences.filter((sentence) => sentence.voice === voice)) {
        const [from, to] = [startMs * 16 - 800, endMs * 16 + 800]
        side.set(pcm16.subarray(from, to), from)
      }
      return side
    })
    const path = join(folder, 'stereo.wav')
    writeWav(path, withStereo(sides[0]!, sides[1]!), { channels: 2 })
    return { path, voices }
  }

  it('keeps its channels apart when asked to, in the order of time', async () => {
    const { path, voices } = await twoSides()
    const { segments } = await transcribe(service, path, { channels: 'separate' })
    for (const [index, voice] of voices.entries()) {
      const said = reference.sentences.filter((sentence) => sentence.voice === voice)
      const heard = segments.filter(({ speaker }) => speaker === `channel-${index + 1}`)
      const rate = wordErrors(
        said.map(({ text }) => text).join(' '),
        heard.map(({ text }) => text).join(' '),
      ).rate
      expect(rate).toBeLessThanOrEqual(0.1)
    }
    const starts = segments.map(({ startMs }) => startMs)
    expect(starts).toEqual(starts.toSorted((a, b) => a - b))
  })

  it('is mixed when not', async () => {
    const { path } = await twoSides()
    const { text, segments } = await transcribe(service, path)
    expect(wordErrors(reference.text, text).rate).toBeLessThanOrEqual(0.1)
    expect(segments.some(({ speaker }) => speaker !== undefined)).toBe(false)
  })
})

describe('several recordings at once', () => {
  it('do not mix', async () => {
    const orders = [
      [5, 9, 14],
      [20, 2, 11],
      [17, 4, 16],
      [8, 13, 19],
    ]
    const jobs = orders.map(async (order) => {
      const { pcm16, reference: said } = compose(order.flatMap((sentence) => [{ sentence }, { gapMs: 700 }]))
      const path = join(folder, `order-${order.join('-')}.wav`)
      writeWav(path, concat([silence(500), pcm16]))
      return { said: said.text, heard: (await transcribe(service, path)).text }
    })
    for (const { said, heard } of await Promise.all(jobs)) {
      expect(foldedWords(heard)).toEqual(foldedWords(said))
    }
  })
})

it('logs nothing of what was said, nor any file name', () => {
  const words = new Set(foldedWords(reference.text).filter((word) => word.length > 4))
  const log = `${service.log()}${without.log()}`.toLowerCase()
  expect(log).toContain('job transcribed')
  // Words that the log has of its own.
  for (const own of ['ready', 'minutes', 'start', 'again']) words.delete(own)
  expect([...words].filter((word) => new RegExp(`\\b${word}\\b`).test(log))).toEqual([])
  expect(log).not.toMatch(/meeting-|stereo\.wav|order-/)
})
