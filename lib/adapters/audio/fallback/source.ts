import { fstatSync } from 'node:fs'
import decode from 'audio-decode'
import { type Container, sniff } from '../sniff.ts'
import { readWavHeader, wavToFloat } from '../wav.ts'
import { Damaged, type Facts, PIECE_BYTES, pieces, readAt, UnknownEncoding } from './file.ts'
import { mp4Pieces } from './mp4.ts'

/** Decoded sound, in [-1, 1], equally many samples per channel. */
export interface Sound {
  readonly channelData: readonly Float32Array[]
  readonly sampleRate: number
}

/** A file of this size without any sound is damaged, not empty: the headers of a real one are smaller. */
const HEADERS_BYTES = 16_384

/** Which of audio-decode's decoders reads which container, and whether it makes stereo of a single channel. */
const CODECS: Partial<Record<Container, { name: keyof typeof decode; doubles: boolean }>> = {
  mp3: { name: 'mp3', doubles: true },
  aac: { name: 'aac', doubles: true },
  mp4: { name: 'm4a', doubles: true },
  webm: { name: 'webm', doubles: false },
  flac: { name: 'flac', doubles: false },
  opus: { name: 'opus', doubles: false },
  ogg: { name: 'oga', doubles: false },
  aiff: { name: 'aiff', doubles: false },
  caf: { name: 'caf', doubles: false },
  amr: { name: 'amr', doubles: false },
}

/** The sound of a file, piece by piece. */
export async function* soundOf(fd: number, facts: Facts): AsyncGenerator<Sound> {
  const head = readAt(fd, 0, PIECE_BYTES)
  const container = sniff(head)
  if (container === 'wav') {
    yield* wavSound(fd, facts)
    return
  }
  const codec = container && CODECS[container]
  if (!codec) {
    if (container) throw new UnknownEncoding()
    return
  }
  facts.say('opened')
  if (container === 'webm' && !mayHoldSound(head)) throw new UnknownEncoding('no-track')
  if (container === 'flac') promiseOfFlac(head, facts)
  let heard = false
  for await (const sound of codecSound(
    codec.name,
    container === 'mp4' ? mp4Pieces(fd, facts) : pieces(fd, 0),
  )) {
    heard = true
    yield sound
  }
  if (!heard && fstatSync(fd).size > HEADERS_BYTES) throw new Damaged()
}

/**
 * How many channels a file really has. Codecs that make stereo of a single channel (and audio-decode, which takes
 * the copy away as long as both are equal) tell only when the two first differ; so far this decodes ahead.
 */
export async function widthOf(fd: number): Promise<number | undefined> {
  const quiet: Facts = { say: () => {}, promise: () => {} }
  const container = sniff(readAt(fd, 0, PIECE_BYTES))
  const mayGrow = container !== undefined && CODECS[container]?.doubles === true
  let width: number | undefined
  try {
    for await (const { channelData } of soundOf(fd, quiet)) {
      width = Math.max(width ?? 0, channelData.length)
      if (!mayGrow || width > 1) break
    }
  } catch {
    // The real run will meet the same error, and report it.
  }
  return width
}

async function* codecSound(name: keyof typeof decode, source: Iterable<Uint8Array>): AsyncGenerator<Sound> {
  const decoder = await decode[name]()
  try {
    for (const piece of source) {
      const sound = await decoder(piece)
      if (sound.channelData.length > 0) yield sound
    }
    const rest = await decoder()
    if (rest.channelData.length > 0) yield rest
  } catch (thrown) {
    throw named(thrown)
  } finally {
    decoder.free()
  }
}

/** The codecs say only in words what is wrong. */
function named(thrown: unknown): Error {
  const message = thrown instanceof Error ? thrown.message : ''
  if (thrown instanceof Damaged || thrown instanceof UnknownEncoding) return thrown
  if (/no (\S+ )?audio|audio track/i.test(message)) return new UnknownEncoding('no-track')
  if (/unsupported|not supported|unknown codec|no decoder/i.test(message)) return new UnknownEncoding()
  return new Damaged()
}

async function* wavSound(fd: number, facts: Facts): AsyncGenerator<Sound> {
  const header = await readWavHeader(async (at, length) => readAt(fd, at, length))
  if (header === 'encoding') throw new UnknownEncoding()
  if (header === 'damaged') throw new Damaged()
  facts.say('opened')
  const step = Math.max(1, Math.floor(PIECE_BYTES / header.frameBytes)) * header.frameBytes
  const end = header.dataStart + (header.dataBytes ?? Number.POSITIVE_INFINITY)
  for (let at = header.dataStart; at < end; at += step) {
    const bytes = readAt(fd, at, Math.min(step, end - at))
    if (bytes.length < header.frameBytes) return
    yield { channelData: wavToFloat(header, bytes), sampleRate: header.sampleRate }
  }
}

/** STREAMINFO: 20 bits of sample rate, and 36 of the number of samples, 0 if unknown (RFC 9639, section 8.2). */
function promiseOfFlac(head: Uint8Array, facts: Facts): void {
  if (head.length < 26 || String.fromCharCode(...head.subarray(0, 4)) !== 'fLaC') return
  const view = new DataView(head.buffer, head.byteOffset)
  const rate = view.getUint32(18) >>> 12
  const samples = (head[21]! & 15) * 2 ** 32 + view.getUint32(22)
  if (rate > 0 && samples > 0) facts.promise((samples / rate) * 1000)
}

/** Matroska names the type of each track: element 83, one byte, 1 for pictures and 2 for sound (RFC 9559). */
function mayHoldSound(head: Uint8Array): boolean {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length)
  return bytes.includes('838102', 0, 'hex') || !bytes.includes('838101', 0, 'hex')
}
