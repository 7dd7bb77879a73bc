import { closeSync, openSync } from 'node:fs'
import { Resampler } from '../resample.ts'
import { wavStreamHeader } from '../wav-stream.ts'
import type { Remark } from './backend.ts'
import { Damaged, UnknownEncoding } from './file.ts'
import { type Sound, soundOf, widthOf } from './source.ts'

// A program, not a module: `node main.ts mix|separate <file>` writes 16 kHz 16-bit WAV to stdout and remarks to
// stderr, as ffmpeg would. See backend.ts for who calls it.

const RATE = 16_000
/** All memory of this process; a decoder that wants more is fed with something made up. */
const MAX_RSS_BYTES = 768 * 1024 * 1024

// Codecs that print would print into the sound.
for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) console[method] = () => {}

const say = (remark: Remark): boolean => process.stderr.write(`${remark}\n`)

process.stdout.on('error', () => process.exit(1))

function write(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()))
}

/** Interleaved 16-bit samples of equally long channels. */
function interleave(channels: readonly Float32Array[]): Uint8Array {
  const length = channels[0]?.length ?? 0
  const frames = new Int16Array(length * channels.length)
  channels.forEach((samples, channel) => {
    for (let i = 0; i < length; i++) {
      const value = Math.round(samples[i]! * 32768)
      frames[i * channels.length + channel] = Math.max(-32768, Math.min(32767, value))
    }
  })
  return new Uint8Array(frames.buffer)
}

/** Brings pieces of any rate and channel count to 16 kHz and `width` channels. */
class Output {
  readonly #width: number
  #rate = 0
  #resamplers: Resampler[] = []

  constructor(width: number) {
    this.#width = width
  }

  async add({ channelData, sampleRate }: Sound): Promise<void> {
    if (this.#rate === 0) await write(wavStreamHeader(this.#width, RATE))
    if (sampleRate !== this.#rate) await this.#changeRate(sampleRate)
    const channels = Array.from({ length: this.#width }, (_, i) => channelData[i % channelData.length]!)
    await write(interleave(channels.map((samples, i) => this.#resamplers[i]?.push(samples) ?? samples)))
  }

  async end(): Promise<void> {
    await write(interleave(this.#resamplers.map((resampler) => resampler.flush())))
  }

  async #changeRate(rate: number): Promise<void> {
    if (rate < 1000 || rate > 768_000) throw new Damaged()
    await this.end()
    this.#rate = rate
    this.#resamplers =
      rate === RATE ? [] : Array.from({ length: this.#width }, () => new Resampler(rate, RATE))
  }
}

async function main(mode: string, path: string): Promise<void> {
  const fd = openSync(path, 'r')
  const facts = { say, promise: (ms: number) => process.stderr.write(`promised-ms ${Math.round(ms)}\n`) }
  const width = mode === 'separate' ? await widthOf(fd) : undefined
  let output: Output | undefined
  try {
    for await (const sound of soundOf(fd, facts)) {
      // Where the channels will be mixed, a copy of a single one does no harm, and a second may still turn up.
      output ??= new Output(width ?? Math.max(2, sound.channelData.length))
      await output.add(sound)
      if (process.memoryUsage.rss() > MAX_RSS_BYTES) throw new Damaged()
    }
  } finally {
    await output?.end()
    closeSync(fd)
  }
}

const [mode = '', path = ''] = process.argv.slice(2)
try {
  await main(mode, path)
} catch (thrown) {
  say(thrown instanceof UnknownEncoding ? thrown.remark : 'damaged')
  process.exitCode = 1
}
