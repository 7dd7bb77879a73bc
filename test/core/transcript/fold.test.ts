import { describe, expect, it } from '@jest/globals'
import { fold } from '../../../lib/core/transcript/fold.ts'

describe('a word as it is compared', () => {
  it.each([
    ['Morning,', 'morning'],
    ['“Yes!”', 'yes'],
    ["don't", 'dont'],
    // Composed and decomposed, full-width and half-width.
    ['Cafe\u0301', 'caf\u00e9'],
    ['ＡＢＣ１２３', 'abc123'],
    // Vowel signs are part of the word.
    ['हिन्दी।', 'हिन्दी'],
    ['—', ''],
  ])('%s is %s', (text, folded) => {
    expect(fold(text)).toBe(folded)
  })
})
