import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDecoder } from '../../../lib/adapters/audio/decoder.ts'
import type { Decoder, Recording } from '../../../lib/core/ports.ts'
import {
  encode,
  likeness,
  MEDIA_FORMATS,
  type MediaFormat,
  needFfmpeg,
  tone,
  withStereo,
  writeAmr,
} from '../../support/media.ts'
import { samplePath } from '../../support/reference.ts'
import { readWav, writeWav } from '../../support/wav.ts'

const LIMITS = { maxDurationMs: 3_600_000, timeoutMs: 60_000 }
const dir = mkdtempSync(join(tmpdir(), 'verbatim-formats-'))
const source = samplePath('short')
const original = readWav(source).pcm16
const file = (name: string): string => join(dir, name.replaceAll(/\W/g, '-'))

let withFfmpeg: Decoder
const without = createDecoder({ ffmpeg: null, scratchDir: dir })

beforeAll(async () => {
  withFfmpeg = createDecoder({ ffmpeg: await needFfmpeg(), scratchDir: dir })
  for (const format of MEDIA_FORMATS) await encode(source, format, file(format))
})
afterAll(() => rmSync(dir, { recursive: true }))

async function expectTheSame(recording: Recording, format: MediaFormat): Promise<void> {
  expect(Math.abs(recording.durationMs - original.length / 16)).toBeLessThan(100)
  expect(recording.channels).toBe(1)
  expect(recording.truncated).toBe(false)
  const heard = await recording.read(0, 0, recording.durationMs)
  // Eight bits or 4 kHz of bandwidth leave less of the original.
  const least = /law|8-bit|11025/.test(format) ? 0.85 : 0.95
  expect(likeness(original, heard)).toBeGreaterThan(least)
  await recording.dispose()
}

describe('decoding with ffmpeg', () => {
  it.each(MEDIA_FORMATS)('gives back the sound of %s', async (format) => {
    await expectTheSame(await withFfmpeg.decode(file(format), { channels: 'mix', limits: LIMITS }), format)
  })
})

/** Formats that only ffmpeg knows; without it they are refused by name, not taken for damaged. */
const NEED_FFMPEG: MediaFormat[] = ['wma', 'au', 'wav G.722', 'wav ADPCM', 'ac3', 'mpeg-ts']

describe('decoding without ffmpeg', () => {
  it.each(MEDIA_FORMATS.filter((format) => !NEED_FFMPEG.includes(format)))(
    'gives back the sound of %s',
    async (format) => {
      await expectTheSame(await without.decode(file(format), { channels: 'mix', limits: LIMITS }), format)
    },
  )

  it.each(NEED_FFMPEG)('says that it does not know %s', async (format) => {
    const decoding = without.decode(file(format), { channels: 'mix', limits: LIMITS })
    await expect(decoding).rejects.toMatchObject({ code: 'unsupported-audio' })
  })
})

describe.each(['with', 'without'])('decoding %s ffmpeg', (kind) => {
  const decoder = (): Decoder => (kind === 'with' ? withFfmpeg : without)

  it('reads AMR', async () => {
    const recording = await decoder().decode(writeAmr(file('amr'), 2000), { channels: 'mix', limits: LIMITS })
    expect(recording.durationMs).toBe(2000)
    await recording.dispose()
  })

  it.each(['wav 16-bit', 'mp3', 'm4a', 'ogg opus', 'flac'] as const)(
    'keeps the channels of %s apart',
    async (format) => {
      const stereo = file(`stereo source ${kind}`)
      // Both are silent at first, as when a call begins: the file is stereo nevertheless.
      const lead = new Int16Array(16_000)
      const [left, right] = [tone(440, 1000), tone(1000, 1000)]
      const join2 = (t: Int16Array): Int16Array => Int16Array.from([...lead, ...t])
      writeWav(stereo, withStereo(join2(left), join2(right)), { channels: 2 })
      const path = await encode(stereo, format, file(`stereo ${format} ${kind}`))
      const pieces: number[] = [0, 0]
      const recording = await decoder().decode(path, {
        channels: 'separate',
        limits: LIMITS,
        onPcm: (channel, pcm16) => {
          pieces[channel] = pieces[channel]! + pcm16.length
        },
      })
      expect(recording.channels).toBe(2)
      const [first, second] = [await recording.read(0, 1200, 1900), await recording.read(1, 1200, 1900)]
      expect(crossings(first) / 1.4).toBeCloseTo(440, -1.3)
      expect(crossings(second) / 1.4).toBeCloseTo(1000, -1.3)
      expect(pieces.map((count) => Math.round(count / 16))).toEqual([
        recording.durationMs,
        recording.durationMs,
      ])
      await recording.dispose()
    },
  )

  it('counts one channel in an MP3 of one channel', async () => {
    const recording = await decoder().decode(file('mp3'), { channels: 'separate', limits: LIMITS })
    expect(recording.channels).toBe(1)
    await recording.dispose()
  })

  it('keeps six channels apart, and mixes nine', async () => {
    const six = await decoder().decode(file('wav 48 kHz 5.1'), { channels: 'separate', limits: LIMITS })
    expect(six.channels).toBe(6)
    await six.dispose()
    const path = file(`nine ${kind}`)
    writeWav(path, new Int16Array(9 * 16_000).fill(1000), { channels: 9 })
    const nine = await decoder().decode(path, { channels: 'separate', limits: LIMITS })
    expect([nine.channels, nine.durationMs]).toEqual([1, 1000])
    await nine.dispose()
  })

  it('hears a stereo file of which one channel is upside down', async () => {
    const path = file(`inverted ${kind}`)
    writeWav(
      path,
      withStereo(
        original,
        original.map((sample) => -Math.max(sample, -32767)),
      ),
      { channels: 2 },
    )
    const recording = await decoder().decode(path, { channels: 'mix', limits: LIMITS })
    expect(likeness(original, await recording.read(0, 0, recording.durationMs))).toBeGreaterThan(0.99)
    await recording.dispose()
  })

  it('gives any stretch of the sound, clipped to what there is', async () => {
    const recording = await decoder().decode(source, { channels: 'mix', limits: LIMITS })
    expect(await recording.read(0, 1000, 1500)).toEqual(original.slice(16_000, 24_000))
    expect(await recording.read(0, -50, 10)).toEqual(original.slice(0, 160))
    expect((await recording.read(0, 3000, 99_999)).length).toBe(original.length - 48_000)
    expect((await recording.read(0, 99_999, 100_000)).length).toBe(0)
    await recording.dispose()
  })
})

/** How often a sound changes its sign. */
function crossings(pcm16: Int16Array): number {
  let count = 0
  for (let i = 1; i < pcm16.length; i++) if (pcm16[i - 1]! < 0 !== pcm16[i]! < 0) count++
  return count
}
