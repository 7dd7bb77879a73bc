const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })

/** East Asian Width W and F (Unicode UAX #11), by block; emoji are W as well. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{17000}-\u{18dff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]|\ufe0f/u

/** Latin, Greek and Cyrillic without combining marks: each code unit is one column. Most texts need no more. */
const SIMPLE = /^[ -~\u00a0-\u02ff\u0370-\u0482\u048a-\u052f]*$/

const widthOf = (grapheme: string): number => (WIDE.test(grapheme) ? 2 : 1)

/** Columns a text takes on screen: what a reader sees as one character counts 1, a wide East Asian one 2. */
export function columns(text: string): number {
  if (SIMPLE.test(text)) return text.length
  let sum = 0
  for (const { segment } of graphemes.segment(text)) sum += widthOf(segment)
  return sum
}

/** Cuts a text into pieces of at most `most` columns, never inside a character as the reader sees it. */
export function chop(text: string, most: number): string[] {
  // A segmenter takes time, and memory that is not given back soon: much of both for the words of hours.
  if (text !== '' && text.length <= most && SIMPLE.test(text)) return [text]
  const pieces: string[] = []
  let piece = ''
  let width = 0
  for (const { segment } of graphemes.segment(text)) {
    const more = widthOf(segment)
    if (piece !== '' && width + more > most) {
      pieces.push(piece)
      piece = ''
      width = 0
    }
    piece += segment
    width += more
  }
  return piece === '' ? pieces : [...pieces, piece]
}
