/** Half-open range of a string, in UTF-16 code units. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A script that puts no space between words, with the marks that belong to its letters. */
const UNSPACED =
  '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Bopomofo}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}\\p{sc=Tibetan}\\u30fc\\uff70'
/** Chinese and Japanese punctuation parts what it stands between, whatever the script: `iPhone，iPad`. */
const PARTING = '、。〃〈-】〔-〟！（），：；？［］｛｝｟-･'
const UNSPACED_RUN = new RegExp(`[${UNSPACED}][${UNSPACED}\\p{M}\\u200b-\\u200d]*|[${PARTING}]+`, 'gu')

/** Says nothing by itself: punctuation and invisible characters, but not the signs that are read out. */
const GLUE = /^[[\p{P}\p{C}]--[&@]]+$/v
/** Where punctuation stops belonging to the word before and begins to belong to the word after. */
const OPENING = /[\p{Ps}\p{Pi}¿¡]/u

/**
 * Where the words of a text are. Words part at white space; scripts without spaces are parted by the dictionary
 * of `Intl.Segmenter`. Punctuation goes with its neighbour: opening marks with the word after, all others with
 * the word before, even across a space (`Ça va ?` has two words). Everything but the white space around words
 * is in exactly one span.
 */
export function splitWords(text: string, language?: string): Span[] {
  const pieces: Span[] = []
  for (const { index, 0: chunk } of text.matchAll(/\S+/g)) pieces.push(...splitChunk(chunk, index, language))
  return attach(
    text,
    pieces.flatMap((piece) => partGlue(text, piece)),
  )
}

/** Parts a text without white space where a script without spaces begins, ends, or goes on with a new word. */
function splitChunk(chunk: string, offset: number, language: string | undefined): Span[] {
  const pieces: Span[] = []
  let done = 0
  const other = (end: number, last: boolean) => {
    pieces.push(...partEdges(chunk.slice(done, end), offset + done, { lead: done > 0, trail: !last }))
  }
  for (const { index, 0: run } of chunk.matchAll(UNSPACED_RUN)) {
    other(index, false)
    for (const { index: at, segment } of segmenter(language).segment(run)) {
      pieces.push({ start: offset + index + at, end: offset + index + at + segment.length })
    }
    done = index + run.length
  }
  other(chunk.length, true)
  return pieces
}

/** Next to a script without spaces, punctuation at a word's edge may belong to the neighbour: `，world「`. */
function partEdges(text: string, offset: number, { lead, trail }: { lead: boolean; trail: boolean }): Span[] {
  const from = lead ? (/^\p{P}+/u.exec(text)?.[0].length ?? 0) : 0
  const rest = text.slice(from)
  const to = trail ? text.length - (/\p{P}*$/u.exec(rest)?.[0].length ?? 0) : text.length
  return [
    { start: offset, end: offset + from },
    { start: offset + from, end: offset + to },
    { start: offset + to, end: offset + text.length },
  ].filter(({ start, end }) => end > start)
}

/** `。「` closes one word and opens the next. */
function partGlue(text: string, piece: Span): Span[] {
  const chunk = text.slice(piece.start, piece.end)
  const opening = GLUE.test(chunk) ? chunk.search(OPENING) : -1
  if (opening <= 0) return [piece]
  return [
    { start: piece.start, end: piece.start + opening },
    { start: piece.start + opening, end: piece.end },
  ]
}

function attach(text: string, pieces: readonly Span[]): Span[] {
  const words: Span[] = []
  /** Start of what waits for the word after. */
  let waiting: number | undefined
  for (const { start, end } of pieces) {
    const chunk = text.slice(start, end)
    const before = words.at(-1)
    if (!GLUE.test(chunk)) {
      words.push({ start: waiting ?? start, end })
      waiting = undefined
    } else if (waiting === undefined && before && !OPENING.test(chunk)) {
      words[words.length - 1] = { start: before.start, end }
    } else {
      waiting ??= start
    }
  }
  if (waiting === undefined) return words
  const before = words.pop()
  return [...words, { start: before?.start ?? waiting, end: pieces.at(-1)!.end }]
}

const segmenters = new Map<string, Intl.Segmenter>()

function segmenter(language = 'und'): Intl.Segmenter {
  let made = segmenters.get(language)
  if (!made) {
    made = new Intl.Segmenter(isTag(language) ? language : 'und', { granularity: 'word' })
    segmenters.set(language, made)
  }
  return made
}

function isTag(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length === 1
  } catch {
    return false
  }
}

/** Finds words in the text they came from, in order; undefined when the text is not these words and white space. */
export function findWords(text: string, words: readonly { readonly text: string }[]): Span[] | undefined {
  const spans: Span[] = []
  let at = 0
  for (const word of words) {
    const start = at + text.slice(at).search(/\S|$/)
    if (word.text === '' || !text.startsWith(word.text, start)) return undefined
    at = start + word.text.length
    spans.push({ start, end: at })
  }
  return text.slice(at).trim() === '' ? spans : undefined
}
