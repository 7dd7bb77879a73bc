import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { readReference, samplePath } from './reference.ts'
import { compose, concat, mix, noise, readWav, silence, slice, writeWav } from './speak.ts'

const rms = (pcm16: Int16Array): number =>
  Math.sqrt(pcm16.reduce((sum, sample) => sum + sample ** 2, 0) / pcm16.length)

describe('compose', () => {
  const { pcm16, reference } = compose([{ gapMs: 500 }, { sentence: 4 }, { gapMs: 800 }, { sentence: 7 }])

  it('says the sentences in the order asked for', () => {
    expect(reference.text).toBe('Let us start with the budget. I agree with Emma.')
    expect(reference.durationMs).toBe(pcm16.length / 16)
  })

  it('gives the times at which the words are in the new recording', () => {
    const original = readReference('meeting60').sentences[7]!
    const sentence = reference.sentences[1]!
    expect(sentence.startMs - reference.sentences[0]!.endMs).toBe(800 + 2 * 21)
    expect(sentence.words.map((word) => word.endMs - word.startMs)).toEqual(
      original.words.map((word) => word.endMs - word.startMs),
    )
    const there = readWav(samplePath('meeting60')).pcm16
    expect(slice(pcm16, sentence.startMs, sentence.endMs)).toEqual(
      slice(there, original.startMs, original.endMs),
    )
  })

  it('leaves silence where nobody speaks', () => {
    const [first, second] = reference.sentences
    expect(rms(slice(pcm16, 0, 479))).toBe(0)
    expect(rms(slice(pcm16, first!.endMs + 25, second!.startMs - 25))).toBe(0)
    expect(rms(slice(pcm16, first!.startMs, first!.endMs))).toBeGreaterThan(1000)
  })

  it('refuses a sentence that is not there', () => {
    expect(() => compose([{ sentence: 1, sample: 'short' }])).toThrow('no sentence 1')
  })
})

describe('sounds', () => {
  it('noise has the level asked for and is the same for the same seed', () => {
    expect(20 * Math.log10(rms(noise(2000, -40, 1)) / 32_767)).toBeCloseTo(-40, 1)
    expect(noise(50, -40, 1)).toEqual(noise(50, -40, 1))
    expect(noise(50, -40, 1)).not.toEqual(noise(50, -40, 2))
  })

  it('concat puts gaps between the parts only', () => {
    const one = Int16Array.of(1, 2)
    expect(concat([one, one], 1)).toEqual(Int16Array.of(1, 2, ...Array(16).fill(0), 1, 2))
    expect(concat([])).toHaveLength(0)
  })

  it('mix clips in place of wrapping around', () => {
    expect(mix(Int16Array.of(30_000, -30_000, 5), Int16Array.of(30_000, -30_000))).toEqual(
      Int16Array.of(32_767, -32_768, 5),
    )
    expect(silence(2)).toHaveLength(32)
  })
})

describe('WAV files', () => {
  it('come back as they were written', () => {
    const folder = mkdtempSync(join(tmpdir(), 'speak-'))
    const path = join(folder, 'a.wav')
    const pcm16 = Int16Array.of(0, 1, -1, 32_767, -32_768, 7)
    writeWav(path, pcm16, { sampleRate: 8000, channels: 2 })
    expect(readWav(path)).toEqual({ pcm16, sampleRate: 8000, channels: 2 })
    rmSync(folder, { recursive: true })
  })
})
