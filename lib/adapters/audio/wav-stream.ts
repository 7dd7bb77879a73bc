/** A WAV header in front of a stream of 16-bit samples: what both decoder programs write. */
export function wavStreamHeader(channels: number, sampleRate: number): Uint8Array {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(0xffffffff, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(sampleRate, 24)
  header.writeUInt32LE(sampleRate * channels * 2, 28)
  header.writeUInt16LE(channels * 2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(0xffffffff, 40)
  return header
}

/** Takes such a stream apart again, piece by piece: the channel count first, then whole interleaved frames. */
export class WavStreamReader {
  #held = Buffer.alloc(0)
  #channels = 0

  /** 0 until the header has been read. */
  get channels(): number {
    return this.#channels
  }

  /** The whole frames that are complete now, in an array of their own. */
  push(piece: Uint8Array): Int16Array {
    let bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    if (this.#channels === 0) {
      const start = this.#readHeader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      if (start === undefined) {
        this.#held = Buffer.from(bytes)
        return new Int16Array(0)
      }
      bytes = bytes.subarray(start)
    }
    const whole = bytes.length - (bytes.length % (this.#channels * 2))
    this.#held = Buffer.from(bytes.subarray(whole))
    const samples = new Int16Array(whole / 2)
    new Uint8Array(samples.buffer).set(bytes.subarray(0, whole))
    return samples
  }

  /** Where the samples begin, or undefined while the header is incomplete. */
  #readHeader(bytes: Buffer): number | undefined {
    for (let at = 12; at + 8 <= bytes.length; ) {
      const id = bytes.toString('latin1', at, at + 4)
      if (id === 'fmt ' && at + 12 <= bytes.length) this.#channels = bytes.readUInt16LE(at + 10)
      if (id === 'data') return at + 8
      at += 8 + bytes.readUInt32LE(at + 4)
    }
    this.#channels = 0
    return undefined
  }
}
