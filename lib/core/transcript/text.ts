import { oneLine } from './clean.ts'
import type { Transcript } from './shape.ts'

/** A silence of the recording as long as this begins a paragraph. */
const PARAGRAPH_PAUSE_MS = 2000

/** Chinese and Japanese put no space between sentences. */
const UNSPACED = '[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\u3000-\\u303f\\uff00-\\uff65]'
const ENDS_UNSPACED = new RegExp(`${UNSPACED}$`, 'u')
const BEGINS_UNSPACED = new RegExp(`^${UNSPACED}`, 'u')

/**
 * Plain text to read: no times, a paragraph for each speaker's turn or after a pause of 2 s, one line each with
 * an empty line between; a name where the speaker changes. Empty when nobody spoke.
 */
export function writeText({ segments }: Transcript): string {
  const paragraphs: string[] = []
  let speaking = ''
  let lastEndMs = 0
  for (const segment of segments) {
    const text = oneLine(segment.text)
    if (text === '') continue
    const speaker = oneLine(segment.speaker ?? '')
    const turn = speaker !== speaking
    const before = paragraphs.at(-1)
    if (turn || before === undefined || segment.startMs - lastEndMs >= PARAGRAPH_PAUSE_MS) {
      paragraphs.push(turn && speaker !== '' ? `${speaker}: ${text}` : text)
    } else {
      paragraphs[paragraphs.length - 1] = join(before, text)
    }
    speaking = speaker
    lastEndMs = Math.max(lastEndMs, segment.endMs)
  }
  return paragraphs.map((paragraph) => `${paragraph}\n`).join('\n')
}

const join = (before: string, after: string): string =>
  ENDS_UNSPACED.test(before) && BEGINS_UNSPACED.test(after) ? before + after : `${before} ${after}`
