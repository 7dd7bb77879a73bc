import type { Segment, Transcript, Word } from '../transcript/shape.ts'
import { joinWords } from './6-segment.ts'
import { nameWords } from './7-speakers.ts'
import type { Turn } from './turns.ts'

/** The transcript of a session's whole recording with the names of its speakers: cut where the speaker changes. */
export function nameTranscript(transcript: Transcript, turns: readonly Turn[]): Transcript {
  if (turns.length === 0) return transcript
  const names = nameWords(
    transcript.segments.flatMap(({ words }) => words),
    turns,
  )
  let first = 0
  const segments = transcript.segments.flatMap((segment) => {
    const its = names.slice(first, first + segment.words.length)
    first += segment.words.length
    return split(segment, its)
  })
  return { ...transcript, segments: segments.map((segment, id) => ({ ...segment, id })) }
}

function split(segment: Segment, names: readonly (string | undefined)[]): Segment[] {
  const { words } = segment
  const cuts = words.map((_, i) => i).filter((i) => i > 0 && names[i] !== names[i - 1])
  if (cuts.length === 0) return [{ ...segment, ...(names[0] !== undefined && { speaker: names[0] }) }]
  const borders = [0, ...cuts, words.length]
  return borders.slice(1).map((to, n) => {
    const from = borders[n]!
    return piece(segment, words.slice(from, to), names[from], n === 0, to === words.length)
  })
}

function piece(
  { id, startMs, endMs }: Segment,
  words: readonly Word[],
  speaker: string | undefined,
  first: boolean,
  last: boolean,
): Segment {
  return {
    id,
    startMs: first ? startMs : words[0]!.startMs,
    endMs: last ? endMs : words.at(-1)!.endMs,
    text: joinWords(words),
    ...(speaker !== undefined && { speaker }),
    words: [...words],
  }
}
