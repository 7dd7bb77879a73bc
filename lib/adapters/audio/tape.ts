import { VerbatimError } from '../../core/errors.ts'
import type { DecodeOptions, Recording } from '../../core/ports.ts'
import { MIX_BLOCK, Mixer } from './mix.ts'
import { SAMPLES_PER_MS, Spool } from './spool.ts'
import { WavStreamReader } from './wav-stream.ts'

/** More channels than this are mixed even when they were to be kept apart. */
const MAX_SEPARATE = 8

/** Takes the decoder's output as it comes: splits or mixes its channels, keeps them, and counts. */
export class Tape {
  readonly #dir: string
  readonly #options: DecodeOptions
  readonly #reader = new WavStreamReader()
  #spool: Spool | undefined
  #mixer: Mixer | undefined
  /** Interleaved frames that do not fill a block for the mixer yet. */
  #rest = new Int16Array(0)
  #samples = 0

  constructor(dir: string, options: DecodeOptions) {
    this.#dir = dir
    this.#options = options
  }

  /** Samples per channel so far. */
  get samples(): number {
    return this.#samples
  }

  /** Fails with `too-long` or `disk-full`. */
  async push(piece: Uint8Array): Promise<void> {
    const frames = this.#reader.push(piece)
    if (frames.length === 0) return
    this.#samples += frames.length / this.#reader.channels
    if (this.#samples > this.#options.limits.maxDurationMs * SAMPLES_PER_MS) {
      throw new VerbatimError('too-long', 'The recording is longer than this service allows.')
    }
    this.#spool ??= await this.#start()
    if (this.#mixer) await this.#mixBlocks(join(this.#rest, frames))
    else await this.#split(frames, this.#reader.channels)
  }

  /** The recording; what the mixer still holds is written first. An empty one where no sound came. */
  async end(): Promise<Recording> {
    if (this.#mixer && this.#rest.length > 0) await this.#keep(0, this.#mixer.mix(this.#rest))
    this.#rest = new Int16Array(0)
    const spool = this.#spool
    return {
      durationMs: spool?.durationMs ?? 0,
      channels: spool?.channels ?? 0,
      truncated: false,
      read: async (channel, startMs, endMs) =>
        (await spool?.read(channel, startMs, endMs)) ?? new Int16Array(0),
      dispose: () => this.dispose(),
    }
  }

  async dispose(): Promise<void> {
    await this.#spool?.dispose()
  }

  async #start(): Promise<Spool> {
    const channels = this.#reader.channels
    const apart = this.#options.channels === 'separate' && channels <= MAX_SEPARATE
    if (!apart && channels > 1) this.#mixer = new Mixer(channels)
    return await Spool.create(this.#dir, apart ? channels : 1)
  }

  async #mixBlocks(frames: Int16Array): Promise<void> {
    const size = MIX_BLOCK * this.#reader.channels
    const whole = frames.length - (frames.length % size)
    for (let at = 0; at < whole; at += size)
      await this.#keep(0, this.#mixer!.mix(frames.subarray(at, at + size)))
    this.#rest = frames.slice(whole)
  }

  async #split(frames: Int16Array, channels: number): Promise<void> {
    for (let channel = 0; channel < channels; channel++) {
      const samples = new Int16Array(frames.length / channels)
      for (let i = 0; i < samples.length; i++) samples[i] = frames[i * channels + channel]!
      await this.#keep(channel, samples)
    }
  }

  async #keep(channel: number, pcm16: Int16Array): Promise<void> {
    await this.#spool!.append(channel, pcm16)
    // The piece is the listener's from here on: it is written and nobody else holds it.
    this.#options.onPcm?.(channel, pcm16)
  }
}

function join(a: Int16Array, b: Int16Array): Int16Array {
  if (a.length === 0) return b
  const joined = new Int16Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
