import { pipeline } from 'node:stream/promises'
import { constants, crc32, createBrotliCompress, createBrotliDecompress } from 'node:zlib'
import { VerbatimError } from '../../core/errors.ts'
import type { SoundPacker } from '../../core/ports.ts'

// Packed sound, numbers little-endian:
//
// | bytes | holds                                 |
// |-------|---------------------------------------|
// | 4     | VBP1                                  |
// | 4     | how many samples                      |
// | 4     | CRC-32 of all that follows            |
// | rest  | Brotli (RFC 7932) of the two planes   |
//
// Of each sample the difference from the one before is kept (modulo 2^16), folded so that small ones of either sign are
// small numbers. The first plane holds the high byte of each, most of them 0, the second the low byte.

const MAGIC = 'VBP1'
const HEADER_BYTES = 12

/** Quality 1 makes three minutes of speech 0.455 of their size in 25 to 50 ms; docs/adr/0014-shards.md compares. */
const PARAMS = { [constants.BROTLI_PARAM_QUALITY]: 1 }

/** So many samples are packed at a time: enough for Brotli to be at its best, little enough to let others run. */
const BLOCK = 1 << 18

/** Bytes that Brotli gives at a time. */
const CHUNK_BYTES = 1 << 16

export const soundPacker: SoundPacker = {
  async pack(pcm16) {
    const packed: Buffer[] = []
    await pipeline(
      planesOf(pcm16),
      createBrotliCompress({ params: PARAMS, chunkSize: CHUNK_BYTES }),
      async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) packed.push(chunk)
      },
    )
    const header = Buffer.alloc(HEADER_BYTES)
    header.write(MAGIC)
    header.writeUInt32LE(pcm16.length, 4)
    header.writeUInt32LE(
      packed.reduce((sum, chunk) => crc32(chunk, sum), 0),
      8,
    )
    return Buffer.concat([header, ...packed])
  },

  async unpack(bytes) {
    try {
      return await unpack(bytes)
    } catch (cause) {
      if (cause instanceof VerbatimError) throw cause
      throw broken(cause)
    }
  },
}

async function unpack(bytes: Uint8Array): Promise<Int16Array> {
  const { count, sum, body } = readHeader(bytes)
  if (crc32(body) !== sum) throw broken()
  // Memory that is not written to costs nothing, so a number that is too high does no harm.
  const samples = new Int16Array(count)
  let length = 0
  await pipeline(
    [body],
    createBrotliDecompress({ chunkSize: CHUNK_BYTES }),
    async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        // What is more than was promised is never looked at, nor unpacked any further.
        if (length + chunk.length > 2 * count) throw broken()
        place(samples, chunk, length)
        length += chunk.length
      }
    },
  )
  if (length !== 2 * count) throw broken()
  return samples
}

function readHeader(bytes: Uint8Array): { count: number; sum: number; body: Uint8Array } {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEADER_BYTES))
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, 4) !== MAGIC) throw broken()
  return {
    ...{ count: header.readUInt32LE(4), sum: header.readUInt32LE(8) },
    body: bytes.subarray(HEADER_BYTES),
  }
}

const broken = (cause?: unknown) =>
  new VerbatimError('internal', 'Stored sound cannot be unpacked.', cause === undefined ? {} : { cause })

/** The high bytes, then the low bytes, block by block. */
function* planesOf(pcm16: Int16Array): Generator<Buffer> {
  for (const shift of [8, 0]) {
    let before = 0
    for (let start = 0; start < pcm16.length; start += BLOCK) {
      const block = pcm16.subarray(start, start + BLOCK)
      const plane = Buffer.allocUnsafe(block.length)
      for (let i = 0; i < block.length; i++) {
        const step = ((block[i]! - before) << 16) >> 16
        before = block[i]!
        // 0, -1, 1, -2, 2 … become 0, 1, 2, 3, 4 …; a byte keeps the lowest eight bits.
        plane[i] = ((step << 1) ^ (step >> 15)) >> shift
      }
      yield plane
    }
  }
}

/** Puts bytes of the planes that begin at `from` where they belong; a sample is whole when its low byte is there. */
function place(samples: Int16Array, bytes: Uint8Array, from: number): void {
  const high = Math.max(0, Math.min(bytes.length, samples.length - from))
  for (let i = 0; i < high; i++) samples[from + i] = bytes[i]! << 8
  for (let i = high; i < bytes.length; i++) {
    const at = from + i - samples.length
    const folded = (samples[at]! & 0xff00) | bytes[i]!
    const before = at === 0 ? 0 : samples[at - 1]!
    samples[at] = before + ((folded >>> 1) ^ -(folded & 1))
  }
}
