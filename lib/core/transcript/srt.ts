import { captionsOf } from './captions.ts'
import { gapCaption, withGaps } from './gaps.ts'
import type { Transcript } from './shape.ts'
import { timecode } from './timecode.ts'

const labelOf = (speaker: string): string => `${speaker}: `

/**
 * SubRip. There is no specification; this is what VLC and ffmpeg agree on: number, times with a decimal comma,
 * text, blank line; LF. SRT has no escapes, so an arrow in the text, which would look like a time line, becomes
 * `→`, and all else stays as it was said. A speaker's name stands where the speaker changes. A gap shows its times for
 * a few seconds where it begins. Empty when nobody spoke.
 */
export function writeSrt({ segments, gaps }: Transcript): string {
  let speaking: string | undefined
  return withGaps(captionsOf(segments, labelOf), gaps)
    .map(({ gap, item }, i) => {
      const { startMs, endMs, lines, speaker } = gap ? gapCaption(gap) : item
      const label = speaker !== undefined && speaker !== speaking ? labelOf(speaker) : ''
      // Captions were laid out as if there were no gaps: who goes on speaking after one has no room for the name.
      if (!gap) speaking = speaker
      const text = (label + lines.join('\n')).replaceAll('-->', '→')
      return `${i + 1}\n${timecode(startMs, ',')} --> ${timecode(endMs, ',')}\n${text}\n`
    })
    .join('\n')
}
