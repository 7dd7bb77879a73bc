import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { brotliCompressSync, constants, crc32 } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { soundPacker } from '../../../lib/adapters/audio/pack.ts'
import { randomFrom } from '../../support/random.ts'
import { readWav } from '../../support/wav.ts'

const SAMPLE = join(import.meta.dirname, '../../../models/mini/samples/meeting60.wav')

const made = (length: number, sample: (i: number) => number) =>
  Int16Array.from({ length }, (_, i) => sample(i))
const random = randomFrom(1)
const noise = () => Math.floor(random() * 65_536) - 32_768

const SOUNDS: Array<[name: string, sound: Int16Array]> = [
  ['no sample', new Int16Array(0)],
  ['one sample', Int16Array.of(-12_345)],
  ['the lowest and the highest', Int16Array.of(-32_768, 32_767, -32_768, 0, 32_767, 32_767)],
  ['silence', new Int16Array(48_000)],
  ['noise at full scale', made(100_000, noise)],
  ['a square wave at full scale', made(48_000, (i) => (i % 80 < 40 ? -32_768 : 32_767))],
  // Blocks and chunks end within it, at places that have nothing to do with each other.
  ['more than one block', made(600_001, (i) => Math.round(9000 * Math.sin(i / 9)) + (noise() >> 8))],
  ['speech', readWav(SAMPLE).pcm16],
]

/** What `pack` would have made of these planes, with `count` in front. */
function packed(planes: Uint8Array, count: number): Buffer {
  const body = brotliCompressSync(planes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
  const header = Buffer.alloc(12)
  header.write('VBP1')
  header.writeUInt32LE(count, 4)
  header.writeUInt32LE(crc32(body), 8)
  return Buffer.concat([header, body])
}

const refused = (bytes: Uint8Array) =>
  expect(soundPacker.unpack(bytes)).rejects.toMatchObject({
    ...{ name: 'VerbatimError', code: 'internal', message: 'Stored sound cannot be unpacked.' },
  })

describe('packed sound', () => {
  it.each(SOUNDS)('comes back as it was: %s', async (_, sound) => {
    const unpacked = await soundPacker.unpack(await soundPacker.pack(sound))
    expect(unpacked.length).toBe(sound.length)
    expect(Buffer.compare(bytesOf(unpacked), bytesOf(sound))).toBe(0)
  })

  it('comes back from and as a part of a larger buffer', async () => {
    const [, sound] = SOUNDS.at(-1)!
    const part = sound.subarray(1001, 5002)
    const bytes = await soundPacker.pack(part)
    const within = new Uint8Array(bytes.length + 7)
    within.set(bytes, 3)
    expect(await soundPacker.unpack(within.subarray(3, 3 + bytes.length))).toEqual(part.slice())
  })

  it('is less than half as large as speech, and next to nothing for silence', async () => {
    const [, speech] = SOUNDS.at(-1)!
    expect((await soundPacker.pack(speech)).length).toBeLessThan(speech.byteLength / 2)
    expect((await soundPacker.pack(new Int16Array(960_000))).length).toBeLessThan(1000)
  })

  it('is refused when it was cut off, wherever', async () => {
    const bytes = await soundPacker.pack(SOUNDS[2]![1])
    for (let end = 0; end < bytes.length; end++) await refused(bytes.subarray(0, end))
  })

  it('is refused when a bit is wrong or something was added', async () => {
    const bytes = await soundPacker.pack(made(3000, noise))
    for (let at = 0; at < bytes.length; at += 97) await refused(withBit(bytes, at))
    for (let at = 0; at < 12; at++) await refused(withBit(bytes, at))
    await refused(Buffer.concat([bytes, Buffer.alloc(1)]))
  })

  it('is refused when there is no sound in it', async () => {
    await refused(randomBytes(1000))
    await refused(Buffer.from('RIFF'.repeat(10)))
    const body = randomBytes(100)
    const header = packed(Buffer.alloc(0), 50).subarray(0, 12)
    header.writeUInt32LE(crc32(body), 8)
    await refused(Buffer.concat([header, body]))
  })

  it('is refused when it is longer or shorter than it says', async () => {
    expect(await soundPacker.unpack(packed(Buffer.from([0, 0, 2, 1]), 2))).toEqual(Int16Array.of(1, 0))
    for (const count of [0, 1, 3, 2 ** 31, 2 ** 32 - 1])
      await refused(packed(Buffer.from([0, 0, 2, 1]), count))
  })

  it('is not unpacked further than it says', async () => {
    const bomb = packed(Buffer.alloc(200_000_000), 10)
    expect(bomb.length).toBeLessThan(100_000)
    const before = process.memoryUsage().rss
    await refused(bomb)
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
  })
})

const bytesOf = ({ buffer, byteOffset, byteLength }: Int16Array) =>
  Buffer.from(buffer, byteOffset, byteLength)

function withBit(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at]! ^= 4
  return copy
}
