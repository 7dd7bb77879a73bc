export interface Times {
  readonly startMs: number
  readonly endMs: number
}

/** Nobody says a word faster; what is shorter was not measured. */
const SHORTEST_WORD_MS = 50
/** About one letter of fluent speech (15 letters a second); a character of Chinese or Japanese is a syllable. */
const LETTER_MS = 65
const LETTERS_PER_IDEOGRAPH = 3
const LONGEST_GUESS_MS = 600
/**
 * Measured with the mini model: a segment's own start and end are within 10 ms (median) of the speech, while its
 * first token starts 300–400 ms late and its last one may end early. So within this distance the segment is believed.
 */
const EDGE_MS = 500

const IDEOGRAPH = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u

/**
 * Makes the rough times of a segment's words usable: integers, in order, without overlap, inside the segment,
 * each word longer than nothing. Words that the engine gave (nearly) no time — it likes to put several at one
 * instant — get what they may need from the pauses around them, else they share the time of their neighbours by
 * length. A segment with less than one millisecond a word counts as that long.
 */
export function fitTimes<W extends Times & { readonly text: string }>(
  words: readonly W[],
  segment: Times,
): W[] {
  const from = Math.round(segment.startMs)
  const to = Math.max(Math.round(segment.endMs), from + words.length)
  const fitted = inOrder(words, from, to)
  const first = fitted[0]
  const last = fitted.at(-1)
  if (!first || !last) return []
  if (first.startMs - from <= EDGE_MS) first.startMs = from
  if (to - last.endMs <= EDGE_MS) last.endMs = to

  const needs = words.map(({ text }) => Math.min(LONGEST_GUESS_MS, Math.max(1, letters(text)) * LETTER_MS))
  for (let i = 0; i < fitted.length; i++) {
    if (!isSqueezed(fitted[i]!)) continue
    let end = i + 1
    while (end < fitted.length && isSqueezed(fitted[end]!)) end++
    i = widen(fitted, needs, { start: i, end }, { startMs: from, endMs: to }) - 1
  }
  return words.map((word, i) => ({ ...word, ...fitted[i]! }))
}

type Mutable = { startMs: number; endMs: number }

const isSqueezed = ({ startMs, endMs }: Times): boolean => endMs - startMs < SHORTEST_WORD_MS

const letters = (text: string): number =>
  Array.from(text).reduce((n, char) => {
    if (IDEOGRAPH.test(char)) return n + LETTERS_PER_IDEOGRAPH
    return /[\p{L}\p{N}]/u.test(char) ? n + 1 : n
  }, 0)

/** Clamps to the segment; where two words overlap, the later one's start wins. */
function inOrder(words: readonly Times[], from: number, to: number): Mutable[] {
  const fitted: Mutable[] = []
  for (const word of words) {
    const before = fitted.at(-1)
    const startMs = clamp(Math.round(word.startMs), before?.startMs ?? from, to)
    if (before) before.endMs = Math.min(before.endMs, startMs)
    fitted.push({ startMs, endMs: clamp(Math.round(word.endMs), startMs, to) })
  }
  return fitted
}

/** Gives the words of a run room: first the pause after it, then the one before, then its neighbours' time. */
function widen(
  fitted: Mutable[],
  needs: readonly number[],
  run: { start: number; end: number },
  bounds: Times,
): number {
  let { start, end } = run
  for (;;) {
    const floor = fitted[start - 1]?.endMs ?? bounds.startMs
    const ceiling = fitted[end]?.startMs ?? bounds.endMs
    const need = needs.slice(start, end).reduce((sum, ms) => sum + ms, 0)
    const endMs = clamp(fitted[start]!.startMs + need, fitted[end - 1]!.endMs, ceiling)
    const startMs = clamp(endMs - need, floor, fitted[start]!.startMs)
    const whole = start === 0 && end === fitted.length
    if (endMs - startMs >= SHORTEST_WORD_MS * (end - start) || whole) {
      share(
        fitted,
        needs,
        { start, end },
        whole ? roomFor(end, { startMs, endMs }, bounds) : { startMs, endMs },
      )
      return end
    }
    if (end < fitted.length) end++
    else start--
  }
}

/** All words together may need every millisecond that there is. */
const roomFor = (words: number, room: Times, bounds: Times): Times =>
  room.endMs - room.startMs < SHORTEST_WORD_MS * words ? bounds : room

function share(
  fitted: Mutable[],
  needs: readonly number[],
  run: { start: number; end: number },
  room: Times,
): void {
  const { start, end } = run
  let left = needs.slice(start, end).reduce((sum, ms) => sum + ms, 0)
  let at = room.startMs
  for (let i = start; i < end; i++) {
    const fair = Math.round(((room.endMs - at) * needs[i]!) / left)
    const next = clamp(at + fair, at + 1, room.endMs - (end - 1 - i))
    fitted[i] = { startMs: at, endMs: next }
    left -= needs[i]!
    at = next
  }
}

const clamp = (n: number, low: number, high: number): number => Math.max(low, Math.min(n, high))
