import { describe, expect, it } from '@jest/globals'
import { attachment } from '../../../lib/adapters/content-disposition.ts'
import { parseRange } from '../../../lib/adapters/local/http-range.ts'

describe('a Range header', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=2-4', { start: 2, end: 4 }],
    ['bytes=2-99', { start: 2, end: 9 }],
    ['bytes=9-', { start: 9, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-99', { start: 0, end: 9 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=4-2', undefined],
    ['bytes=0-1,4-5', undefined],
    ['bytes=-', undefined],
    ['lines=0-1', undefined],
    [undefined, undefined],
  ])('of ten bytes: %s', (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected)
  })

  it('asks in vain for the end of nothing', () => {
    expect(parseRange('bytes=-1', 0)).toBe('unsatisfiable')
  })
})

describe('the name of a download', () => {
  it.each([
    ['plain.txt', `attachment; filename="plain.txt"; filename*=UTF-8''plain.txt`],
    ['a "b"\\c.txt', `attachment; filename="a _b__c.txt"; filename*=UTF-8''a%20%22b%22%5Cc.txt`],
    ["it's (1)*.txt", `attachment; filename="it's (1)*.txt"; filename*=UTF-8''it%27s%20%281%29%2a.txt`],
    ['ü.srt', `attachment; filename="_.srt"; filename*=UTF-8''%C3%BC.srt`],
    [
      'a\r\nSet-Cookie: x',
      `attachment; filename="a__Set-Cookie: x"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x`,
    ],
    ['\ud800', `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`],
  ])('%j is quoted and encoded', (name, header) => {
    expect(attachment(name)).toBe(header)
  })
})
