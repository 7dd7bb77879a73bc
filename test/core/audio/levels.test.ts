import { describe, expect, it } from '@jest/globals'
import { createLevelMeter, levelOf, SILENCE_DB } from '../../../lib/core/audio/levels.ts'

const SECOND = 16_000
const samples = (at: (seconds: number) => number) =>
  Int16Array.from({ length: SECOND }, (_, i) => Math.round(32_767 * at(i / SECOND)))
const tone = (hz: number, amplitude: number) => (t: number) => amplitude * Math.sin(2 * Math.PI * hz * t)

function measure(...pieces: Int16Array[]) {
  const meter = createLevelMeter()
  for (const piece of pieces) meter.push(piece)
  return meter.end()
}

describe('level meter', () => {
  it('gives a tone in the range of speech its level', () => {
    const level = levelOf(measure(samples(tone(1_000, 0.1))))
    // A sine of amplitude 0.1 has -23 dBFS.
    expect(level(500)).toBeCloseTo(-23, 0)
  })

  it.each([
    ['a DC offset', samples(() => 0.2), -100],
    ['50 Hz hum', samples(tone(50, 0.1)), -58],
    ['60 Hz hum', samples(tone(60, 0.1)), -52],
  ])('does not take %s for sound', (_, pcm16, atMost) => {
    const track = measure(pcm16)
    const level = levelOf(track)
    expect(Math.max(...[200, 400, 600, 800, 980].map(level))).toBeLessThan(atMost)
  })

  it('hears no click where a recording with a DC offset begins', () => {
    const level = levelOf(measure(samples(() => 0.2)))
    expect(level(0)).toBeLessThan(-100)
  })

  it('gives the same track however the sound is cut into pieces', () => {
    const whole = samples((t) => tone(300, 0.3)(t) * tone(3, 1)(t))
    const pieces = [
      whole.subarray(0, 1),
      whole.subarray(1, 777),
      whole.subarray(777, 777),
      whole.subarray(777),
    ]
    expect(measure(...pieces)).toEqual(measure(whole))
  })

  it('keeps more frames than it first had room for', () => {
    const second = samples(tone(1_000, 0.1))
    const track = measure(...Array.from({ length: 200 }, () => second))
    expect(track.durationMs).toBe(200_000)
    expect(track.codes.length).toBe(10_000)
    expect(levelOf(track)(199_500)).toBeCloseTo(-23, 0)
  })

  it('calls digital silence and what lies outside the recording silent', () => {
    const level = levelOf(measure(new Int16Array(SECOND)))
    expect(level(500)).toBe(SILENCE_DB)
    expect(level(5_000)).toBe(SILENCE_DB)
    expect(level(-20)).toBe(SILENCE_DB)
  })

  it('measures a last frame that is not full', () => {
    const track = measure(samples(tone(1_000, 0.1)).subarray(0, 330))
    expect(track).toMatchObject({ durationMs: 20 })
    expect(track.codes.length).toBe(2)
  })
})
