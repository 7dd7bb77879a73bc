import { describe, expect, it } from '@jest/globals'
import { MIX_BLOCK, Mixer } from '../../../lib/adapters/audio/mix.ts'
import { Resampler } from '../../../lib/adapters/audio/resample.ts'
import { sniff } from '../../../lib/adapters/audio/sniff.ts'
import { likeness, tone, withStereo } from '../../support/media.ts'

const rms = (samples: Iterable<number>): number => {
  const values = [...samples]
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
}

/** Everything through one mixer, block by block, without the first second. */
function mixed(frames: Int16Array, channels: number): Int16Array {
  const mixer = new Mixer(channels)
  const out: number[] = []
  for (let at = 0; at < frames.length; at += MIX_BLOCK * channels) {
    out.push(...mixer.mix(frames.subarray(at, at + MIX_BLOCK * channels)))
  }
  return Int16Array.from(out.slice(16_000))
}

describe('mixing channels', () => {
  const speech = tone(440, 3000)
  const level = rms(speech)

  it.each([
    ['the same on both', withStereo(speech, speech)],
    ['one of them silent', withStereo(speech, new Int16Array(speech.length))],
    [
      'one of them upside down',
      withStereo(
        speech,
        speech.map((sample) => -sample),
      ),
    ],
    [
      'one of them upside down and half as loud',
      withStereo(
        speech,
        speech.map((sample) => -sample >> 1),
      ),
    ],
  ])('keeps the level of two channels with %s', (_, frames) => {
    expect(rms(mixed(frames, 2)) / level).toBeGreaterThan(0.95)
    expect(rms(mixed(frames, 2)) / level).toBeLessThan(1.05)
  })

  it('holds both of two different sounds', () => {
    const [a, b] = [tone(440, 3000), tone(1010, 3000)]
    const both = mixed(withStereo(a, b), 2)
    expect(likeness(both, a.slice(16_000))).toBeCloseTo(Math.SQRT1_2, 1)
    expect(likeness(both, b.slice(16_000))).toBeCloseTo(Math.SQRT1_2, 1)
  })

  it('never goes over the top', () => {
    const loud = new Int16Array(32_000).fill(32_767)
    expect(mixed(withStereo(loud, loud), 2).every((sample) => sample > 32_000)).toBe(true)
  })
})

describe('resampling', () => {
  const sine = (hz: number, rate: number): Float32Array =>
    Float32Array.from({ length: rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate))
  /** In pieces of uneven size, as decoders give them. */
  const through = (input: Float32Array, rate: number): number[] => {
    const resampler = new Resampler(rate, 16_000)
    const out: number[] = []
    for (let at = 0, size = 1; at < input.length; at += size, size = (size * 7) % 4999) {
      out.push(...resampler.push(input.subarray(at, at + size)))
    }
    return [...out, ...resampler.flush()]
  }
  const rates = [
    8000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 44_056, 48_000, 88_200, 96_000, 192_000,
  ]

  it.each(rates)('keeps a tone at its time and level (%d Hz)', (rate) => {
    const out = through(sine(1000, rate), rate)
    expect(out.length).toBe(16_000)
    const error = out
      .slice(1000, 15_000)
      .map((value, i) => value - 0.5 * Math.sin((2 * Math.PI * (i + 1000)) / 16))
    expect(20 * Math.log10(rms(error) / rms(out))).toBeLessThan(-60)
  })

  it.each(rates.filter((rate) => rate > 22_000))('lets nothing above 8 kHz fold back (%d Hz)', (rate) => {
    const out = through(sine(Math.min(10_000, rate * 0.45), rate), rate).slice(1000, 15_000)
    expect(20 * Math.log10(rms(out) / 0.35)).toBeLessThan(-70)
  })

  it('makes nothing up when it raises the rate', () => {
    const out = through(sine(3000, 8000), 8000)
    const error = out
      .slice(1000, 15_000)
      .map((value, i) => value - 0.5 * Math.sin((2 * Math.PI * 3000 * (i + 1000)) / 16_000))
    expect(20 * Math.log10(rms(error) / rms(out))).toBeLessThan(-60)
  })
})

describe('recognising a file by its first bytes', () => {
  it.each([
    ['RIFF\0\0\0\0WAVE', 'wav'],
    ['RIFF\0\0\0\0AVI ', 'avi'],
    ['RIFF\0\0\0\0WEBP', undefined],
    ['\0\0\0\x20ftypisom', 'mp4'],
    ['fLaC\0\0\0\x22', 'flac'],
    ['ID3\x04\0\0\0\0\0\0fLaC', 'flac'],
    ['ID3\x04\0\0\0\0\0\0\xff\xfb\x90\0', 'mp3'],
    ['\xff\xf1\x50\x80', 'aac'],
    ['\xff\xd8\xff\xe0\0\x10JFIF', undefined],
    ['\xff\xfeH\0e\0l\0l\0o\0', undefined],
    ['', undefined],
  ])('%j', (head, container) => {
    expect(sniff(Buffer.from(head, 'latin1'))).toBe(container)
  })
})
