/** 100 ms at 16 kHz: gains and signs are chosen once a block and glide over it. */
export const MIX_BLOCK = 1600

/** Share of the old estimate that stays after a block: half of it is gone after about half a second. */
const MEMORY = 0.87
/** A channel that looks this much like the opposite of the loudest is turned over. */
const OPPOSED = -0.5
/** Added to each energy, in squared 16-bit steps: channels that are all silent share the gain equally. */
const SILENCE = 1

/**
 * Makes one channel of many. A plain average, as most tools do it, loses half the level when one channel is silent,
 * more with six, and all of the sound when one channel is wired the wrong way round. So each channel
 *
 * - gets the gain 1 / (sum of all levels / highest level): one that is alone keeps its level, equal ones share it,
 *   and the sum can be no louder than the loudest;
 * - is turned over while it correlates with the loudest channel by less than -0.5 (where adding would cost 3 dB or
 *   more); it stays so until the opposite holds.
 *
 * Both follow the sound within half a second and glide, so nothing clicks. Two people on two channels who speak in
 * turn are each heard at full level.
 */
export class Mixer {
  readonly #channels: number
  readonly #energy: Float64Array
  readonly #likeness: Float64Array
  readonly #sign: Float64Array
  #gain: Float64Array = new Float64Array(0)

  constructor(channels: number) {
    this.#channels = channels
    this.#energy = new Float64Array(channels)
    this.#likeness = new Float64Array(channels * channels)
    this.#sign = new Float64Array(channels).fill(1)
  }

  /** One block of interleaved 16-bit frames as one channel. */
  mix(frames: Int16Array): Int16Array {
    const count = this.#channels
    const length = frames.length / count
    this.#listen(frames, length)
    const target = this.#targets()
    const from = this.#gain.length === 0 ? target : this.#gain
    const mixed = new Int16Array(length)
    for (let i = 0; i < length; i++) {
      const share = (i + 1) / length
      let sum = 0
      for (let c = 0; c < count; c++) {
        sum += frames[i * count + c]! * (from[c]! + (target[c]! - from[c]!) * share)
      }
      mixed[i] = Math.max(-32768, Math.min(32767, Math.round(sum)))
    }
    this.#gain = target
    return mixed
  }

  /** Brings the estimates of each channel's energy and of each pair's likeness up to date. */
  #listen(frames: Int16Array, length: number): void {
    const count = this.#channels
    for (let a = 0; a < count; a++) {
      for (let b = a; b < count; b++) {
        let sum = 0
        for (let i = 0; i < length; i++) sum += frames[i * count + a]! * frames[i * count + b]!
        const mean = length === 0 ? 0 : sum / length
        const at = a * count + b
        this.#likeness[at] = this.#likeness[at]! * MEMORY + mean * (1 - MEMORY)
        this.#likeness[b * count + a] = this.#likeness[at]!
        // A level rises at once, so that two channels that start together are not both at full gain.
        if (a === b) this.#energy[a] = Math.max(mean, this.#energy[a]! * MEMORY + mean * (1 - MEMORY))
      }
    }
  }

  #targets(): Float64Array {
    const loudest = this.#energy.reduce((best, value, i) => (value > this.#energy[best]! ? i : best), 0)
    const peak = this.#energy[loudest]! + SILENCE
    const total = this.#energy.reduce((sum, energy) => sum + Math.sqrt((energy + SILENCE) / peak), 0)
    return this.#sign.map((_, channel) => this.#turn(channel, loudest) / total)
  }

  /** The channel's sign, turned over if it works against the loudest. */
  #turn(channel: number, loudest: number): number {
    const at = (a: number, b: number): number => this.#likeness[a * this.#channels + b]!
    const scale = Math.sqrt(at(channel, channel) * at(loudest, loudest))
    const likeness = scale < SILENCE ? 0 : at(channel, loudest) / scale
    if (channel !== loudest && likeness * this.#sign[channel]! * this.#sign[loudest]! < OPPOSED) {
      this.#sign[channel] = -this.#sign[channel]!
    }
    return this.#sign[channel]!
  }
}
