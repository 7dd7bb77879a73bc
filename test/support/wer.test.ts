import { existsSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { foldedWords, readReference, samplePath, wordErrors } from './wer.ts'

describe('wordErrors', () => {
  it.each([
    // reference, hypothesis, substitutions, insertions, deletions, words
    ['', '', 0, 0, 0, 0],
    ['one two three', 'one two three', 0, 0, 0, 3],
    ['one two three', 'one four three', 1, 0, 0, 3],
    ['one two three', 'one two two three', 0, 1, 0, 3],
    ['one two three', 'one three', 0, 0, 1, 3],
    ['one two three', '', 0, 0, 3, 3],
    ['one', 'two three four', 1, 2, 0, 1],
    ['a b c d', 'b c d e', 0, 1, 1, 4],
    ['the cat sat', 'a cat on sat down', 1, 2, 0, 3],
  ])('%j heard as %j', (reference, hypothesis, substitutions, insertions, deletions, words) => {
    expect(wordErrors(reference, hypothesis)).toEqual({
      errors: substitutions + insertions + deletions,
      substitutions,
      insertions,
      deletions,
      words,
      rate: words === 0 ? 0 : (substitutions + insertions + deletions) / words,
    })
  })

  it('does not count case, punctuation and spaces', () => {
    expect(wordErrors('Thank you, David.', ' thank YOU david ').errors).toBe(0)
  })

  it('counts invented words against an empty reference as infinitely many', () => {
    expect(wordErrors('', 'thanks for watching').rate).toBe(Number.POSITIVE_INFINITY)
  })

  it('folds accents to one spelling and keeps an apostrophe inside a word', () => {
    expect(foldedWords('Fu\u0308nf – don’t!')).toEqual(['fünf', "don't"])
  })
})

describe('readReference', () => {
  it.each([
    ['short', 3295, 1, 8],
    ['meeting60', 55385, 23, 117],
    ['meeting180', 179585, 66, 397],
  ] as const)('%s lasts %i ms and holds %i sentences, %i words', (name, durationMs, sentences, words) => {
    const reference = readReference(name)
    expect(existsSync(samplePath(name))).toBe(true)
    expect(reference.durationMs).toBe(durationMs)
    expect(reference.sentences).toHaveLength(sentences)
    expect(foldedWords(reference.text)).toHaveLength(words)
  })

  it('gives the times of a word in whole milliseconds', () => {
    expect(readReference('short').sentences[0]?.words[7]).toEqual({
      text: 'Friday.',
      startMs: 2266,
      endMs: 2775,
    })
  })
})
