import type { Word } from '../transcript/shape.ts'
import type { LiveSegment } from './segment.ts'

/** A word and who said it. */
export interface NamedWord {
  readonly word: Word
  readonly speaker: string | undefined
  /** A name is still on its way; another pause may be a change of speakers. */
  readonly unsure?: boolean
}

/** A pause after which a new caption begins. */
const PAUSE_MS = 1000
const UNSURE_PAUSE_MS = 250
/** A caption of so many words ends with its sentence … */
const LONG_WORDS = 8
/** … and one of so many ends in any case: three lines on a screen. */
const LONGEST_WORDS = 24

export interface Captions {
  readonly finals: LiveSegment[]
  readonly drafts: LiveSegment[]
}

/**
 * Captions of settled words, and drafts of those that may still change. Ids go on from `nextId`; a draft has the id
 * that it will have as a final if nothing comes between.
 */
export function toCaptions(
  settled: readonly NamedWord[],
  open: readonly NamedWord[],
  nextId: number,
): Captions {
  const finals = cut(settled).map((words, i) => caption(words, nextId + i, true))
  const drafts = cut(open).map((words, i) => caption(words, nextId + finals.length + i, false))
  return { finals, drafts }
}

function cut(words: readonly NamedWord[]): NamedWord[][] {
  const captions: NamedWord[][] = []
  for (const named of words) {
    const current = captions.at(-1)
    if (current && goesOn(current, named)) current.push(named)
    else captions.push([named])
  }
  return captions
}

function goesOn(caption: readonly NamedWord[], next: NamedWord): boolean {
  const last = caption.at(-1)!
  if (last.speaker !== next.speaker) return false
  const pauseMs = next.word.startMs - last.word.endMs
  if (pauseMs >= (next.unsure ? UNSURE_PAUSE_MS : PAUSE_MS)) return false
  if (caption.length >= LONGEST_WORDS) return false
  return !(caption.length >= LONG_WORDS && /[.?!。？！…]["'”’)\]]*$/u.test(last.word.text))
}

function caption(named: readonly NamedWord[], id: number, final: boolean): LiveSegment {
  const words = named.map(({ word }) => word)
  const { speaker } = named[0]!
  return {
    id,
    startMs: words[0]!.startMs,
    endMs: Math.max(...words.map(({ endMs }) => endMs)),
    text: joinWords(words),
    ...(speaker !== undefined && { speaker }),
    words,
    final,
    revision: 1,
  }
}

/** Scripts that are written without spaces between words. */
const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}、。「」，！？]/u

/** The text that words are when they are written down one after the other. */
export function joinWords(words: readonly Word[]): string {
  let text = ''
  for (const word of words) {
    const tight = text === '' || (UNSPACED.test(text.at(-1)!) && UNSPACED.test(word.text[0] ?? ''))
    text += tight ? word.text : ` ${word.text}`
  }
  return text
}
