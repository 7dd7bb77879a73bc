/**
 * kbit/s that recordings of speech seldom stay below, so that a guess from the size is rather too long than too short.
 * WAV and its like: 16 kHz, one channel, 16 bits; FLAC: half of that (docs/adr/0014-shards.md measured 0.457). MP3 and
 * AAC: 64, the least that podcast hosts advise for one channel. Opus: 28, the least for full-band speech (RFC 7587,
 * 3.1.1). AMR: 12.2 (RFC 4867). Video: reckoned, a shared screen with sound.
 */
const KBITS: ReadonlyArray<readonly [kind: RegExp, kbits: number]> = [
  [/\b(wav|wave|x-wav|aiff?|x-aiff|caf|x-caf|l16|pcm)\b/, 256],
  [/\b(x-)?flac\b/, 128],
  [/\b(amr|amr-wb|3gpp?)\b/, 12.2],
  [/^audio\/(ogg|opus|webm)|\.(ogg|oga|opus|weba)$/, 28],
  [/^video\/|\.(mp4|m4v|mov|mkv|avi|webm|wmv|mpe?g)$/, 500],
]
/** MP3, AAC, and what nobody knows. */
const ELSE_KBITS = 64

/** How long a recording is at most, most likely, when only its size and type are known. */
export function guessLengthMs(o: { sizeBytes: number; contentType: string; filename: string }): number {
  const type = o.contentType.toLowerCase().split(';')[0]!.trim()
  const extension = /\.[^.]*$/.exec(o.filename.toLowerCase())?.[0] ?? ''
  const name = type === 'application/octet-stream' ? extension : type
  const [, kbits = ELSE_KBITS] = KBITS.find(([kind]) => kind.test(name)) ?? []
  return Math.round((o.sizeBytes * 8) / kbits)
}
