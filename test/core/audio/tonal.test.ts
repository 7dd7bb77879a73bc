import { describe, expect, it } from '@jest/globals'
import { isTonal } from '../../../lib/core/audio/tonal.ts'
import { mix, noise, readWav, silence, slice } from '../../support/speak.ts'
import { samplePath } from '../../support/wer.ts'
import { melody } from './melody.ts'

const speech = readWav(samplePath('meeting60')).pcm16

describe('sound made of tones alone', () => {
  it('is a melody, wherever one listens to it', () => {
    const played = melody(30_000)
    for (let fromMs = 0; fromMs < 27_000; fromMs += 1000)
      expect(isTonal(slice(played, fromMs, fromMs + 3000))).toBe(true)
  })

  it('is not speech, wherever one listens to it', () => {
    for (let fromMs = 0; fromMs < 52_000; fromMs += 500)
      expect([fromMs, isTonal(slice(speech, fromMs, fromMs + 3000))]).toEqual([fromMs, false])
  })

  it.each([
    [
      'speech over music',
      mix(
        slice(speech, 4000, 10_000),
        melody(6000).map((sample) => sample / 4),
      ),
    ],
    ['speech in noise', mix(slice(speech, 4000, 10_000), noise(6000, -30, 1))],
    ['noise', noise(6000, -30, 1)],
    ['silence', silence(6000)],
    ['nothing', silence(0)],
    ['less than two seconds of a melody', melody(1900)],
  ])('is not %s', (_, pcm16) => {
    expect(isTonal(pcm16)).toBe(false)
  })
})
