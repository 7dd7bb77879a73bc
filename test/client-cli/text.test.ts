import { describe, expect, it } from '@jest/globals'
import { rateMeter } from '../../client-cli/progress.ts'
import {
  aboutText,
  bytesText,
  clean,
  dollarsText,
  lengthText,
  percentText,
  spanText,
  table,
} from '../../client-cli/text.ts'

describe('what people read', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_499, '999 kB'],
    [999_999, '1.0 MB'],
    [3_210_000, '3.2 MB'],
    [99_960_000, '100 MB'],
    [5_500_000_000, '5.5 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))

  it.each([
    [0, '0:00'],
    [59_600, '1:00'],
    [245_000, '4:05'],
    [3_723_000, '1:02:03'],
  ])('%d ms are %s', (ms, text) => expect(lengthText(ms)).toBe(text))

  it.each([
    [0, '1 s'],
    [40_000, '40 s'],
    [59_600, '1 min'],
    [72_000, '1 min 12 s'],
    [120_000, '2 min'],
    [754_000, '13 min'],
    [3_599_999, '1 h'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
  ])('%d ms take %s', (ms, text) => expect(spanText(ms)).toBe(text))

  it.each([
    [300, 'about 1 s'],
    [13_400, 'about 13 s'],
    [41_900, 'about 40 s'],
    [72_400, 'about 1 min 10 s'],
    [333_000, 'about 6 min'],
    [36_000_000, 'about 10 h'],
  ])('%d ms to come are %s', (ms, text) => expect(aboutText(ms)).toBe(text))

  it.each([
    [0, 'under $0.01'],
    [0.0049, 'under $0.01'],
    [0.0051, '$0.01'],
    [0.51, '$0.51'],
    [12.5, '$12.50'],
  ])('%d dollars are %s', (usd, text) => expect(dollarsText(usd)).toBe(text))

  it('100 % only at the end', () => {
    expect([0, 0.999, 1].map(percentText)).toEqual(['0 %', '99 %', '100 %'])
  })

  it('a foreign name cannot steer the terminal', () => {
    expect(clean('a\x1b[2Jb\u202ec\u009b\n')).toBe('a�[2Jb�c��')
  })

  it('columns of a table stand below each other', () => {
    expect(
      table([
        ['A', 'B'],
        ['long', 'x'],
        ['s', ''],
      ]),
    ).toBe('A     B\nlong  x\ns\n')
  })
})

describe('the rate of an upload', () => {
  function meter() {
    let now = 0
    const rate = rateMeter(() => now)
    return (at: number, bytes: number) => {
      now = at
      return rate(bytes)
    }
  }

  it('is unknown in the first moments', () => {
    const at = meter()
    expect(at(0, 0)).toBeUndefined()
    expect(at(400, 1000)).toBeUndefined()
  })

  it('follows the last five seconds', () => {
    const at = meter()
    at(0, 0)
    expect(at(1000, 1_000_000)).toBe(1_000_000)
    at(10_000, 1_000_000)
    expect(at(11_000, 1_500_000)).toBe(500_000)
  })

  it('begins anew when the upload does', () => {
    const at = meter()
    at(0, 0)
    at(1000, 5_000_000)
    expect(at(1100, 0)).toBeUndefined()
    expect(at(2100, 2_000_000)).toBe(2_000_000)
  })
})
