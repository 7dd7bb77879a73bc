import { describe, expect, it } from '@jest/globals'
import { createVoiceGate, findVoice, voicedMs } from '../../../lib/core/audio/voice.ts'
import { randomFrom } from '../../support/random.ts'
import { type Part, repeated, trackOf } from './patterns.ts'

/** A minute of sentences: 3 s of talk, 2 s of room. */
const talk = (speechDb: number, roomDb: number): Part[] =>
  repeated(12, [
    [2_000, roomDb],
    [3_000, speechDb, 'talk', roomDb],
  ])

describe('voice gate', () => {
  it.each([
    ['in a quiet room', -20, -70],
    ['with digital silence between', -20, -127.5],
    ['recorded far too quietly', -45, -75],
    ['quieter still', -55, -90],
    ['in a noisy room', -20, -35],
    ['hardly above the noise', -38, -50],
  ])('finds every sentence, and the pauses, of speech %s', (_, speechDb, roomDb) => {
    const regions = findVoice(trackOf(talk(speechDb, roomDb)))
    expect(regions).toHaveLength(12)
    for (const [i, { startMs, endMs }] of regions.entries()) {
      expect(startMs).toBeLessThanOrEqual(i * 5_000 + 2_000)
      expect(startMs).toBeGreaterThan(i * 5_000 + 1_700)
      expect(endMs).toBeGreaterThanOrEqual(i * 5_000 + 4_940)
      expect(endMs).toBeLessThanOrEqual(i * 5_000 + 5_300)
    }
  })

  it.each([
    ['digital silence', -127.5],
    ['a silent room', -80],
    ['noise at -50 dBFS', -50],
    ['noise at -36 dBFS', -36],
  ])('finds no speech in 75 s of %s', (_, db) => {
    expect(findVoice(trackOf([[75_000, db]]))).toEqual([])
  })

  it('takes loud sound without a pause for speech', () => {
    expect(findVoice(trackOf([[60_000, -15]]))).toEqual([{ startMs: 0, endMs: 60_000 }])
  })

  it('keeps all of a speaker who does not pause for a minute, loud or quiet', () => {
    for (const db of [-15, -30, -50])
      expect(voicedMs(findVoice(trackOf([[60_000, db, 'talk']])), 0, 60_000)).toBeGreaterThan(59_000)
  })

  it('hears a quiet speaker beside a loud one', () => {
    const parts = repeated(6, [
      [1_000, -60],
      [4_000, -18, 'talk'],
      [1_000, -60],
      [2_000, -45, 'talk'],
    ])
    const regions = findVoice(trackOf(parts))
    for (let i = 0; i < 6; i++) expect(voicedMs(regions, i * 8_000 + 6_000, i * 8_000 + 7_900)).toBe(1_900)
  })

  it('follows a change of rooms: the new noise costs seconds, the speech in it is heard', () => {
    const track = trackOf([...talk(-20, -70), [60_000, -45], ...talk(-25, -45)])
    const regions = findVoice(track)
    expect(voicedMs(regions, 60_000, 120_000)).toBeLessThan(10_000)
    for (let i = 0; i < 12; i++) {
      expect(voicedMs(regions, 120_000 + i * 5_000 + 2_000, 120_000 + i * 5_000 + 4_900)).toBe(2_900)
    }
  })

  it('ignores a click and hears a "yes"', () => {
    const click = findVoice(
      trackOf([
        [10_000, -60],
        [40, -20],
        [10_000, -60],
      ]),
    )
    const yes = findVoice(
      trackOf([
        [10_000, -60],
        [160, -30],
        [10_000, -60],
      ]),
    )
    expect(click).toEqual([])
    expect(yes).toEqual([{ startMs: 9_900, endMs: 10_360 }])
  })

  it('does not judge by its own floor what is too short to have one', () => {
    expect(findVoice(trackOf([[600, -30, 'talk']]))).toEqual([{ startMs: 0, endMs: 600 }])
  })

  it('gives regions in order, apart, inside the recording and at least as long as the padding', () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = randomFrom(seed)
      const parts = Array.from(
        { length: 1 + Math.floor(random() * 30) },
        (): Part =>
          random() < 0.5
            ? [random() * 3_000, -80 + random() * 60, 'talk']
            : [random() * 3_000, -100 + random() * 80],
      )
      const track = trackOf(parts, seed)
      const regions = findVoice(track)
      const wrong = regions.filter(
        ({ startMs, endMs }, i) =>
          startMs < 0 ||
          endMs > track.durationMs ||
          endMs - startMs < 60 ||
          (i > 0 && startMs <= regions[i - 1]!.endMs),
      )
      expect({ seed, wrong }).toEqual({ seed, wrong: [] })
    }
  })

  it('judges sound as it judges levels', () => {
    const random = randomFrom(5)
    const gate = createVoiceGate()
    // Ten seconds of faint noise with two seconds of loud noise in the middle.
    for (let ms = 0; ms < 10_000; ms += 100) {
      const amplitude = ms >= 4_000 && ms < 6_000 ? 5_000 : 20
      gate.push(Int16Array.from({ length: 1_600 }, () => Math.round((random() * 2 - 1) * amplitude)))
    }
    const { regions, level, durationMs } = gate.end()
    expect(regions).toHaveLength(1)
    expect(regions[0]!.startMs).toBe(3_900)
    // The filter rings for a frame.
    expect(regions[0]!.endMs - 6_200).toBeLessThanOrEqual(20)
    // 20 log10(5000 / 20) = 48 dB.
    expect(Math.round((level(5_000) - level(2_000)) / 4)).toBe(12)
    expect(durationMs).toBe(10_000)
  })

  it('finds nothing in nothing', () => {
    expect(createVoiceGate().end()).toMatchObject({ regions: [], durationMs: 0 })
  })
})
