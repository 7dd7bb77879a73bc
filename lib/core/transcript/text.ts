import { oneLine } from './clean.ts'
import { gapText, withGaps } from './gaps.ts'
import type { Transcript } from './shape.ts'

/** A silence of the recording as long as this begins a paragraph. */
const PARAGRAPH_PAUSE_MS = 2000

/** Chinese and Japanese put no space between sentences. */
const UNSPACED = '[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\u3000-\\u303f\\uff00-\\uff65]'
const ENDS_UNSPACED = new RegExp(`${UNSPACED}$`, 'u')
const BEGINS_UNSPACED = new RegExp(`^${UNSPACED}`, 'u')

/**
 * Plain text to read: no times, a paragraph for each speaker's turn or after a pause of 2 s, one line each with
 * an empty line between; a name where the speaker changes. A gap is a paragraph of its own, with its times. Empty
 * when nobody spoke.
 */
export function writeText({ segments, gaps }: Transcript): string {
  const paragraphs: string[] = []
  let speaking = ''
  let lastEndMs = Number.NEGATIVE_INFINITY
  for (const { gap, item } of withGaps(segments, gaps)) {
    if (gap) {
      paragraphs.push(gapText(gap))
      // What comes after it is a new paragraph, and names its speaker.
      speaking = ''
      lastEndMs = Number.NEGATIVE_INFINITY
      continue
    }
    const text = oneLine(item.text)
    if (text === '') continue
    const speaker = oneLine(item.speaker ?? '')
    const turn = speaker !== speaking
    const before = paragraphs.at(-1)
    if (turn || before === undefined || item.startMs - lastEndMs >= PARAGRAPH_PAUSE_MS) {
      paragraphs.push(turn && speaker !== '' ? `${speaker}: ${text}` : text)
    } else {
      paragraphs[paragraphs.length - 1] = join(before, text)
    }
    speaking = speaker
    lastEndMs = Math.max(lastEndMs, item.endMs)
  }
  return paragraphs.map((paragraph) => `${paragraph}\n`).join('\n')
}

const join = (before: string, after: string): string =>
  ENDS_UNSPACED.test(before) && BEGINS_UNSPACED.test(after) ? before + after : `${before} ${after}`
