import { describe, expect, it } from '@jest/globals'
import { duration, formats, language, metadata, wholeNumber } from '../../client-cli/parsers.ts'
import type { Format } from '../../lib/core/job.ts'

describe('option values', () => {
  const seed: Format[] = ['txt']

  it('formats add up over commas and repetitions, and replace the default', () => {
    const first = formats('vtt,srt', seed, seed)
    expect(first).toEqual(['srt', 'vtt'])
    expect(formats('json', first, seed)).toEqual(['json', 'srt', 'vtt'])
    expect(formats('all', seed, seed)).toEqual(['json', 'srt', 'vtt', 'txt'])
  })

  it('an unknown format is refused', () => {
    expect(() => formats('txt,docx', undefined, seed)).toThrow('Choose from')
  })

  it.each([
    ['90', 90_000],
    ['1.5s', 1500],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['250ms', 250],
    ['9999999h', 2 ** 31 - 1],
  ])('%s is a duration', (text, ms) => expect(duration(text)).toBe(ms))

  it.each(['', 'soon', '-5', '5 minutes'])('%p is no duration', (text) => {
    expect(() => duration(text)).toThrow('Write it like')
  })

  it('a language may be a code, a name or a tag', () => {
    expect(['EN', 'german', 'pt-BR', 'auto'].map(language)).toEqual(['en', 'de', 'pt', 'auto'])
    expect(() => language('klingon')).toThrow('auto')
  })

  it('metadata splits at the first equals sign', () => {
    expect(metadata('a=b=c', { x: 'y' })).toEqual({ x: 'y', a: 'b=c' })
    expect(() => metadata('=b')).toThrow('key=value')
  })

  it('whole numbers keep to their limits', () => {
    const parse = wholeNumber(1, 64)
    expect(parse('64')).toBe(64)
    for (const text of ['0', '65', '1.5', '', 'x']) expect(() => parse(text)).toThrow('whole number')
  })
})
