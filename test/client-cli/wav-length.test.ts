import { describe, expect, it } from '@jest/globals'
import { wavLengthMs } from '../../client-cli/wav-length.ts'

const chunk = (name: string, body: Buffer, size = body.length) => {
  const head = Buffer.from(`${name}....`)
  head.writeUInt32LE(size >>> 0, 4)
  return Buffer.concat([head, body, Buffer.alloc(body.length & 1)])
}
/** 16 kHz, one channel, 16 bits. */
const format = (bytesPerS = 32_000) => {
  const body = Buffer.alloc(16)
  body.writeUInt32LE(bytesPerS, 8)
  return chunk('fmt ', body)
}
const riff = (...chunks: Buffer[]) => Buffer.concat([Buffer.from('RIFF....WAVE'), ...chunks])
const sound = Buffer.alloc(16_000)

const lengthOf = (file: Buffer) =>
  wavLengthMs(async (at, length) => file.subarray(at, at + length), file.length)

describe('the length of a WAV file', () => {
  it.each([
    ['as written', riff(format(), chunk('data', sound)), 500],
    [
      'behind other chunks, one of odd length',
      riff(chunk('LIST', Buffer.alloc(7)), format(), chunk('data', sound)),
      500,
    ],
    ['whose size was not known', riff(format(), chunk('data', sound, 0xffffffff)), 500],
    ['whose size was left at nothing', riff(format(), chunk('data', sound, 0)), 500],
    ['that was cut off', riff(format(), chunk('data', sound, 3_000_000)), 500],
    ['with other chunks behind', riff(format(), chunk('data', sound), chunk('LIST', sound)), 500],
  ])('%s is told by its header', async (_, file, ms) => {
    expect(await lengthOf(file)).toBe(ms)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a few bytes', Buffer.from('RIFF')],
    ['an MP3', Buffer.from(`ID3${'x'.repeat(100)}`)],
    ['no sound', riff(format())],
    ['sound without a format', riff(chunk('data', sound))],
    ['a rate of nothing', riff(format(0), chunk('data', sound))],
    ['a rate that makes it last for days', riff(format(1), chunk('data', Buffer.alloc(200_000)))],
    ['no bytes of sound', riff(format(), chunk('data', Buffer.alloc(0)))],
  ])('is not made up for %s', async (_, file) => {
    expect(await lengthOf(file)).toBeUndefined()
  })
})
