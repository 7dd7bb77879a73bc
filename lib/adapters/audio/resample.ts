/** Zero crossings of the sinc on each side: the transition band gets 1 / ZEROS of the pass band wide. */
const ZEROS = 32
/** Kaiser window with about 90 dB of stop band (Kaiser 1974: beta = 0.1102 (A - 8.7)). */
const BETA = 9
/** Share of the lower Nyquist frequency that passes: what would fold back lies in the filter's slope or beyond. */
const PASS = 0.94
/** More positions between two samples than this are rounded to the nearest of them: an error below -80 dB. */
const MAX_PHASES = 4096

/**
 * Changes the sample rate of one channel as it streams: a polyphase windowed-sinc low-pass that keeps everything
 * below 0.94 of the lower Nyquist frequency (Smith, "Digital Audio Resampling Home Page", CCRMA). Without delay:
 * output sample n lies at n / `to` seconds.
 */
export class Resampler {
  readonly #step: number
  readonly #phases: number
  readonly #half: number
  readonly #taps: Float32Array[]
  /** Input that outputs still to come need; `#start` is the position of its first sample in the stream. */
  #held: Float32Array
  #start: number
  #received = 0
  #emitted = 0

  constructor(from: number, to: number) {
    const divisor = gcd(from, to)
    this.#step = from / to
    this.#phases = Math.min(to / divisor, MAX_PHASES)
    const cutoff = PASS * Math.min(1, to / from)
    this.#half = Math.ceil(ZEROS / cutoff)
    this.#taps = Array.from({ length: this.#phases + 1 }, (_, phase) =>
      kernel(phase / this.#phases, cutoff, this.#half),
    )
    this.#held = new Float32Array(this.#half)
    this.#start = -this.#half
  }

  /** The output that `samples` make possible. */
  push(samples: Float32Array): Float32Array {
    this.#received += samples.length
    return this.#advance(samples, Math.floor((this.#received - this.#half) / this.#step))
  }

  /** The rest, as if silence followed: the output then is as long as the input. */
  flush(): Float32Array {
    return this.#advance(new Float32Array(2 * this.#half + 1), Math.round(this.#received / this.#step))
  }

  #advance(samples: Float32Array, until: number): Float32Array {
    const input = new Float32Array(this.#held.length + samples.length)
    input.set(this.#held)
    input.set(samples, this.#held.length)
    const output = new Float32Array(Math.max(0, until - this.#emitted))
    const width = 2 * this.#half
    for (let i = 0; i < output.length; i++) {
      const position = (this.#emitted + i) * this.#step
      const whole = Math.floor(position)
      const taps = this.#taps[Math.round((position - whole) * this.#phases)]!
      const first = whole - this.#half + 1 - this.#start
      let sum = 0
      for (let tap = 0; tap < width; tap++) sum += taps[tap]! * input[first + tap]!
      output[i] = sum
    }
    this.#emitted += output.length
    const next = Math.floor(this.#emitted * this.#step) - this.#half + 1
    const drop = Math.max(0, Math.min(input.length, next - this.#start))
    this.#held = input.slice(drop)
    this.#start += drop
    return output
  }
}

/** Weights of the 2 * half samples around a point that lies `fraction` of a sample after the one before it. */
function kernel(fraction: number, cutoff: number, half: number): Float32Array {
  const taps = new Float32Array(2 * half)
  let sum = 0
  for (let i = 0; i < taps.length; i++) {
    const distance = i - half + 1 - fraction
    const x = Math.PI * cutoff * distance
    const sinc = x === 0 ? 1 : Math.sin(x) / x
    const edge = 1 - (distance / half) ** 2
    taps[i] = edge <= 0 ? 0 : sinc * bessel(BETA * Math.sqrt(edge))
    sum += taps[i]!
  }
  // Each set of weights adds up to one, so a constant stays that constant whatever the phase.
  return taps.map((tap) => tap / sum)
}

/** Modified Bessel function of the first kind, order 0 (its power series). */
function bessel(x: number): number {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
