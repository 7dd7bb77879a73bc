import { randomFrom } from '../../support/random.ts'
import { SAMPLE_RATE } from '../../support/speak.ts'

const NOTES_HZ = [220, 262, 330, 392, 440, 523]
const NOTE_MS = 500
const PEAK = 6000

/** Plucked notes with overtones, one every half second, the same each time: 16 kHz, loud as speech. */
export function melody(ms: number): Int16Array {
  const random = randomFrom(1)
  const notes = Array.from({ length: Math.ceil(ms / NOTE_MS) }, () => NOTES_HZ[Math.floor(random() * 6)]!)
  return Int16Array.from({ length: (ms * SAMPLE_RATE) / 1000 }, (_, i) => {
    const seconds = i / SAMPLE_RATE
    const hz = notes[Math.floor((seconds * 1000) / NOTE_MS)]!
    const since = seconds % (NOTE_MS / 1000)
    const overtones = [1, 2, 3, 4].map((n) => Math.sin(2 * Math.PI * hz * n * since) / n)
    return PEAK * Math.exp(-3 * since) * overtones.reduce((sum, value) => sum + value, 0)
  })
}
