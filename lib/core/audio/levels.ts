/** Length of a frame: the grain of every judgement about loudness. */
export const FRAME_MS = 20

const SAMPLES_PER_MS = 16
const FRAME = FRAME_MS * SAMPLES_PER_MS

/** Loudness at a time of the recording (ms), in dBFS: 0 is a full-scale square wave, `SILENCE_DB` the least. */
export type Level = (ms: number) => number

/** What a level is where nothing sounds, and outside the recording. */
export const SILENCE_DB = -127.5

/** The loudness of every frame of a recording, one byte each: half decibels above `SILENCE_DB`. */
export interface LevelTrack {
  readonly codes: Uint8Array
  readonly durationMs: number
}

export const toDb = (code: number): number => code / 2 + SILENCE_DB

export const toCode = (db: number): number => Math.max(0, Math.min(255, Math.round((db - SILENCE_DB) * 2)))

export const levelOf =
  ({ codes }: LevelTrack): Level =>
  (ms) =>
    toDb(codes[Math.floor(ms / FRAME_MS)] ?? 0)

/**
 * Measures loudness as the sound arrives, in pieces of any length: 16 kHz 16-bit samples. Keeps one byte a frame
 * (180 KB an hour) and nothing of the sound.
 */
export function createLevelMeter() {
  const filter = createHighPass()
  let codes = new Uint8Array(4096)
  let frames = 0
  let samples = 0
  let energy = 0
  let inFrame = 0

  function close() {
    if (frames === codes.length) codes = grown(codes)
    codes[frames++] = toCode(10 * Math.log10(energy / inFrame / 32768 ** 2))
    energy = 0
    inFrame = 0
  }

  return {
    push(pcm16: Int16Array): void {
      for (let i = 0; i < pcm16.length; i++) {
        const heard = filter(pcm16[i]!)
        energy += heard * heard
        if (++inFrame === FRAME) close()
      }
      samples += pcm16.length
    },
    /** The track up to here. The last frame may be shorter than the others. */
    end(): LevelTrack {
      if (inFrame > 0) close()
      return { codes: codes.slice(0, frames), durationMs: Math.floor(samples / SAMPLES_PER_MS) }
    },
  }
}

function grown(codes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(codes.length * 2)
  larger.set(codes)
  return larger
}

/** Below this there is mains hum (50 and 60 Hz and their octave), wind and table thumps; vowels live above 250 Hz. */
const CUTOFF_HZ = 150

/** Butterworth, fourth order (24 dB an octave): two sections with these quality factors. */
const QUALITIES = [0.5412, 1.3066] as const

/**
 * High-pass, so that DC and hum do not count as loudness: 50 Hz comes out 38 dB weaker. Coefficients after the
 * Audio EQ Cookbook (R. Bristow-Johnson, W3C note 2021). A constant first sample is taken to have always been
 * there, or a DC offset would begin with a click.
 */
function createHighPass(): (sample: number) => number {
  const first = createSection(QUALITIES[0])
  const second = createSection(QUALITIES[1])
  return (sample) => second(first(sample))
}

function createSection(quality: number): (sample: number) => number {
  const omega = (2 * Math.PI * CUTOFF_HZ) / (SAMPLES_PER_MS * 1000)
  const alpha = Math.sin(omega) / (2 * quality)
  const a0 = 1 + alpha
  const a1 = (-2 * Math.cos(omega)) / a0
  const a2 = (1 - alpha) / a0
  const b0 = (1 + Math.cos(omega)) / 2 / a0
  let z1 = 0
  let z2 = 0
  let primed = false
  return (x) => {
    if (!primed) {
      z1 = -b0 * x
      z2 = b0 * x
      primed = true
    }
    const y = b0 * x + z1
    z1 = -2 * b0 * x - a1 * y + z2
    z2 = b0 * x - a2 * y
    // Numbers that fade towards zero for minutes are slow to calculate with.
    if (z1 < 1e-9 && z1 > -1e-9) z1 = 0
    if (z2 < 1e-9 && z2 > -1e-9) z2 = 0
    return y
  }
}
