import { captionsOf } from './captions.ts'
import type { Transcript } from './shape.ts'
import { timecode } from './timecode.ts'

/**
 * WebVTT (W3C, https://www.w3.org/TR/webvtt1/): numbered cues, the speaker of each as its voice. Text is escaped,
 * which also takes the `>` out of any `-->`. The header alone when nobody spoke.
 */
export function writeVtt({ segments }: Transcript): string {
  const cues = captionsOf(segments).map(({ startMs, endMs, lines, speaker }, i) => {
    const voice = speaker === undefined ? '' : `<v ${escapeText(speaker)}>`
    const text = lines.map(escapeText).join('\n')
    return `${i + 1}\n${timecode(startMs, '.')} --> ${timecode(endMs, '.')}\n${voice}${text}\n`
  })
  return ['WEBVTT\n', ...cues].join('\n')
}

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
