import { captionsOf } from './captions.ts'
import { oneLine } from './clean.ts'
import { gapCaption, withGaps } from './gaps.ts'
import type { Gap, Transcript } from './shape.ts'
import { timecode } from './timecode.ts'

/**
 * WebVTT (W3C, https://www.w3.org/TR/webvtt1/): numbered cues, the speaker of each as its voice. Text is escaped,
 * which also takes the `>` out of any `-->`. A gap shows its times for a few seconds where it begins; a comment in
 * front of that cue has its exact ends and the reason. The header alone when nobody spoke.
 */
export function writeVtt({ segments, gaps }: Transcript): string {
  const cues = withGaps(captionsOf(segments), gaps).map(({ gap, item }, i) => {
    const { startMs, endMs, lines, speaker } = gap ? gapCaption(gap) : item
    const voice = speaker === undefined ? '' : `<v ${escapeText(speaker)}>`
    const text = lines.map(escapeText).join('\n')
    const cue = `${i + 1}\n${timecode(startMs, '.')} --> ${timecode(endMs, '.')}\n${voice}${text}\n`
    return gap ? `${noteOf(gap)}\n${cue}` : cue
  })
  return ['WEBVTT\n', ...cues].join('\n')
}

/** A comment ends at an empty line, and has no arrow in it. */
const noteOf = ({ startMs, endMs, code }: Gap): string =>
  `NOTE gap from ${timecode(startMs, '.')} to ${timecode(endMs, '.')}: ${escapeText(oneLine(code))}\n`

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
