import { captionsOf } from './captions.ts'
import type { Transcript } from './shape.ts'
import { timecode } from './timecode.ts'

const labelOf = (speaker: string): string => `${speaker}: `

/**
 * SubRip. There is no specification; this is what VLC and ffmpeg agree on: number, times with a decimal comma,
 * text, blank line; LF. SRT has no escapes, so an arrow in the text, which would look like a time line, becomes
 * `→`, and all else stays as it was said. A speaker's name stands where the speaker changes. Empty when nobody
 * spoke.
 */
export function writeSrt({ segments }: Transcript): string {
  let speaking: string | undefined
  return captionsOf(segments, labelOf)
    .map(({ startMs, endMs, lines, speaker }, i) => {
      const label = speaker !== undefined && speaker !== speaking ? labelOf(speaker) : ''
      speaking = speaker
      const text = (label + lines.join('\n')).replaceAll('-->', '→')
      return `${i + 1}\n${timecode(startMs, ',')} --> ${timecode(endMs, ',')}\n${text}\n`
    })
    .join('\n')
}
