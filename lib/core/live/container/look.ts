import { ascii, byteAt, isAt } from './bytes.ts'
import { readFlac } from './flac.ts'
import { type Header, MAX_HEADER_BYTES } from './format.ts'
import { adtsFrameAt, isFrameChain, isTableFrame, mp3FrameAt, readAmr, readMpeg } from './frames.ts'
import { readMp4 } from './mp4.ts'
import { readOgg } from './ogg.ts'
import { pcmFormat, pcmName, pcmOfName, pcmOfType, readWavHeader } from './pcm.ts'
import { readWebm } from './webm.ts'

/** Enough to tell any header; with fewer bytes it may be too early. */
export const ENOUGH_TO_LOOK = 16

/**
 * What kind of stream begins with these bytes: the name of a container, or of a layout of samples where the content
 * type tells that there is no container. Undefined: no beginning of anything. What a client says about containers is
 * not believed: the bytes tell.
 *
 * `current` is the kind of the stream that would go on otherwise: frames of the same kind begin nothing new.
 */
export function lookAt(bytes: Uint8Array, contentType: string, current?: string): string | undefined {
  const container = containerOf(bytes)
  if (container) return container
  if (current !== 'mpeg' && isFrameChain(bytes, 0, mp3FrameAt)) return 'mpeg'
  if (current !== 'mpeg' && isFrameChain(bytes, 0, adtsFrameAt)) return 'mpeg'
  if (current === 'mpeg' && isTableFrame(bytes, 0)) return 'mpeg'
  const layout = pcmOfType(contentType)
  return layout && pcmName(layout) !== current ? pcmName(layout) : undefined
}

function containerOf(bytes: Uint8Array): string | undefined {
  if (isAt(bytes, 0, '\x1aE\xdf\xa3')) return 'webm'
  if (isAt(bytes, 0, 'OggS\0') && byteAt(bytes, 5) & 2) return 'ogg'
  if (isAt(bytes, 0, 'fLaC')) return 'flac'
  if (isAt(bytes, 0, '#!AMR')) return 'amr'
  if (isAt(bytes, 0, 'RIFF') || isAt(bytes, 0, 'RF64')) return isAt(bytes, 8, 'WAVE') ? 'wav' : 'other'
  if (isAt(bytes, 0, 'ID3') && byteAt(bytes, 3) < 5) return 'mpeg'
  if (MP4_BEGINNINGS.has(ascii(bytes, 4, 4)) && byteAt(bytes, 0) === 0) return 'mp4'
  if (isAt(bytes, 0, 'caff\0') || (isAt(bytes, 0, 'FORM') && isAt(bytes, 8, 'AIF'))) return 'other'
  return isAt(bytes, 0, '0&\xb2u\x8ef\xcf\x11') ? 'other' : undefined
}

const MP4_BEGINNINGS = new Set(['ftyp', 'moov'])

/** Reads the header of a stream of that kind from its beginning. Never throws, whatever the bytes. */
export function readHeader(kind: string, bytes: Uint8Array): Header {
  const layout = pcmOfName(kind)
  if (layout) return pcmFormat(layout, 0)
  const header = READERS[kind]?.(bytes) ?? 'whole'
  return header === 'incomplete' && bytes.length > MAX_HEADER_BYTES ? 'whole' : header
}

const READERS: Readonly<Record<string, (bytes: Uint8Array) => Header>> = {
  webm: readWebm,
  ogg: readOgg,
  mp4: readMp4,
  wav: readWavHeader,
  flac: readFlac,
  mpeg: readMpeg,
  amr: readAmr,
}
