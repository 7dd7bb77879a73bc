/** What the first bytes of a file say it is. */
export type Container =
  | 'wav'
  | 'mp3'
  | 'aac'
  | 'flac'
  | 'opus'
  | 'ogg'
  | 'mp4'
  | 'webm'
  | 'aiff'
  | 'caf'
  | 'amr'
  | 'asf'
  | 'avi'

const ascii = (head: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...head.subarray(at, at + length))

/** Boxes that a QuickTime or MP4 file may begin with (ISO/IEC 14496-12, QuickTime File Format). */
const MP4_BOXES = new Set(['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip', 'pnot', 'styp', 'moof'])

/**
 * Recognises a media file by its first bytes; never by its name. It tells a damaged recording from a file that is
 * no recording at all, and chooses the decoder where there is no ffmpeg.
 */
export function sniff(head: Uint8Array): Container | undefined {
  const four = ascii(head, 0, 4)
  const kind = ascii(head, 8, 4)
  if (four === 'RIFF' || four === 'RF64') return kind === 'WAVE' ? 'wav' : kind === 'AVI ' ? 'avi' : undefined
  if (four === 'FORM') return kind === 'AIFF' || kind === 'AIFC' ? 'aiff' : undefined
  if (four === 'fLaC') return 'flac'
  if (four === 'OggS') return ogg(head)
  if (four === 'caff') return 'caf'
  if (four === '\x1aE\xdf\xa3') return 'webm'
  if (four === '0&\xb2u') return 'asf'
  if (ascii(head, 0, 5) === '#!AMR') return 'amr'
  if (four.startsWith('ID3')) return afterId3(head)
  if (MP4_BOXES.has(ascii(head, 4, 4))) return 'mp4'
  return mpegSync(head)
}

function ogg(head: Uint8Array): Container {
  // The first packet of a stream names its codec; it follows the page header of 27 bytes and the lacing table.
  const packet = 27 + (head[26] ?? 0)
  if (ascii(head, packet, 8) === 'OpusHead') return 'opus'
  return ascii(head, packet + 1, 4) === 'FLAC' ? 'flac' : 'ogg'
}

function afterId3(head: Uint8Array): Container {
  // The size is 28 bits in four bytes (id3.org, ID3v2.3 section 3.1).
  const size = head.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 127), 0)
  const rest = head.subarray(10 + size)
  if (ascii(rest, 0, 4) === 'fLaC') return 'flac'
  return mpegSync(rest) ?? 'mp3'
}

function mpegSync(head: Uint8Array): Container | undefined {
  const [first = 0, second = 0, third = 0] = head
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined
  const layer = (second >> 1) & 3
  if (layer === 0) return (second & 0xf0) === 0xf0 && (third & 0x3c) >> 2 < 13 ? 'aac' : undefined
  // Layer I is dead, and the mark of a text in UTF-16 looks like it.
  if (layer === 3) return undefined
  const version = (second >> 3) & 3
  return version !== 1 && third >> 4 !== 15 && ((third >> 2) & 3) !== 3 ? 'mp3' : undefined
}
