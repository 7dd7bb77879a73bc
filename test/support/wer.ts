export { type Reference, readReference, samplePath } from './reference.ts'

export interface WordErrors {
  readonly errors: number
  readonly substitutions: number
  readonly insertions: number
  readonly deletions: number
  /** Words of the reference. */
  readonly words: number
  /** errors / words: 0 when both texts are empty, Infinity when only the reference is. */
  readonly rate: number
}

/** The words of a text, with case and punctuation folded away. */
export function foldedWords(text: string): string[] {
  const plain = text.normalize('NFKC').replaceAll('’', "'").toLowerCase()
  return plain.match(/[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*/gu) ?? []
}

/** Cheapest way known to a place in the table: what it cost, and how. */
interface Cost {
  readonly errors: number
  readonly substitutions: number
  readonly insertions: number
  readonly deletions: number
}

type Edit = Exclude<keyof Cost, 'errors'>

const add = (cost: Cost, edit: Edit): Cost => ({ ...cost, errors: cost.errors + 1, [edit]: cost[edit] + 1 })

/** The cheapest; of equals the first, so a substitution is preferred to an insertion with a deletion elsewhere. */
const cheapest = (first: Cost, ...others: Cost[]): Cost =>
  others.reduce((best, cost) => (cost.errors < best.errors ? cost : best), first)

/**
 * Word errors by Levenshtein's distance over words: substitution, insertion and deletion cost 1 each. Which of
 * several equally cheap edits is reported does not change `errors`.
 */
export function wordErrors(reference: string, hypothesis: string): WordErrors {
  const said = foldedWords(reference)
  const heard = foldedWords(hypothesis)
  let row: Cost[] = [{ errors: 0, substitutions: 0, insertions: 0, deletions: 0 }]
  for (let i = 0; i < heard.length; i++) row.push(add(row[i]!, 'insertions'))
  for (const word of said) {
    const next = [add(row[0]!, 'deletions')]
    for (const [i, guess] of heard.entries()) {
      const both = word === guess ? row[i]! : add(row[i]!, 'substitutions')
      next.push(cheapest(both, add(row[i + 1]!, 'deletions'), add(next[i]!, 'insertions')))
    }
    row = next
  }
  const cost = row.at(-1)!
  return { ...cost, words: said.length, rate: cost.errors === 0 ? 0 : cost.errors / said.length }
}
