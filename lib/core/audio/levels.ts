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

const toDb = (code: number): number => code / 2 + SILENCE_DB

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
      const filtered = filter(pcm16)
      for (let i = 0; i < pcm16.length; i++) {
        const heard = filtered[i]!
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
const [FIRST, SECOND] = [sectionOf(0.5412), sectionOf(1.3066)]

/** Coefficients of one high-pass section, after the Audio EQ Cookbook (R. Bristow-Johnson, W3C note 2021). */
function sectionOf(quality: number) {
  const omega = (2 * Math.PI * CUTOFF_HZ) / (SAMPLES_PER_MS * 1000)
  const alpha = Math.sin(omega) / (2 * quality)
  const a0 = 1 + alpha
  return {
    b: (1 + Math.cos(omega)) / 2 / a0,
    a1: (-2 * Math.cos(omega)) / a0,
    a2: (1 - alpha) / a0,
  }
}

/**
 * High-pass, so that DC and hum do not count as loudness: 50 Hz comes out 38 dB weaker. Gives the same array each
 * time. The state lives in plain variables during a piece: a function for each sample takes three times as long.
 */
function createHighPass(): (pcm16: Int16Array) => Float32Array {
  const { b: b1, a1: a11, a2: a12 } = FIRST
  const { b: b2, a1: a21, a2: a22 } = SECOND
  const state = new Float64Array(4)
  let out = new Float32Array(0)
  let started = false
  return (pcm16) => {
    if (out.length < pcm16.length) out = new Float32Array(pcm16.length)
    // The first sample is taken to have always been there, or a DC offset would begin with a click.
    if (!started && pcm16.length > 0) state.set([-b1 * pcm16[0]!, b1 * pcm16[0]!])
    started ||= pcm16.length > 0
    let [p1, p2, q1, q2] = state as unknown as [number, number, number, number]
    for (let i = 0; i < pcm16.length; i++) {
      const x = pcm16[i]!
      const y = b1 * x + p1
      p1 = -2 * b1 * x - a11 * y + p2
      p2 = b1 * x - a12 * y
      const z = b2 * y + q1
      q1 = -2 * b2 * y - a21 * z + q2
      q2 = b2 * y - a22 * z
      out[i] = z
    }
    // Numbers that fade towards zero for minutes are slow to calculate with.
    state.set([p1, p2, q1, q2].map((value) => (Math.abs(value) < 1e-9 ? 0 : value)))
    return out
  }
}
