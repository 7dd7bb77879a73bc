import { randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir } from '../lib/adapters/cache.ts'
import { HEADER_BYTES } from '../lib/adapters/whisper/header.ts'
import { resolveModel } from '../lib/adapters/whisper/models.ts'

// Model files with random weights: as large, as slow to load and as much to compute as the real ones, and without a
// word in them. For measuring where the real ones are out of reach. Format and names: whisper.cpp v1.9.3,
// `whisper_model_load` and src/whisper-arch.h.

interface Shape {
  readonly vocab: number
  readonly state: number
  readonly heads: number
  readonly audioLayers: number
  readonly textLayers: number
  readonly mels: number
}

/** https://huggingface.co/openai/whisper-large-v3/blob/main/config.json, and the others beside it. */
const SHAPES: Readonly<Record<string, Shape>> = {
  'large-v3': { vocab: 51_866, state: 1280, heads: 20, audioLayers: 32, textLayers: 32, mels: 128 },
  'large-v3-turbo': { vocab: 51_866, state: 1280, heads: 20, audioLayers: 32, textLayers: 4, mels: 128 },
  tiny: { vocab: 51_865, state: 384, heads: 6, audioLayers: 4, textLayers: 4, mels: 80 },
}

const AUDIO_CONTEXT = 1500
const TEXT_CONTEXT = 448
const FFT_BINS = 201
const F16 = 1

interface Tensor {
  readonly name: string
  readonly dimensions: readonly number[]
  readonly half: boolean
}

const weights = (name: string, ...dimensions: number[]): Tensor => ({ name, dimensions, half: true })
const exact = (name: string, ...dimensions: number[]): Tensor => ({ name, dimensions, half: false })

function attention(name: string, n: number): Tensor[] {
  const parts = ['query', 'key', 'value', 'out']
  return [
    ...[exact(`${name}_ln.weight`, n), exact(`${name}_ln.bias`, n)],
    ...parts.map((part) => weights(`${name}.${part}.weight`, n, n)),
    ...parts.filter((part) => part !== 'key').map((part) => exact(`${name}.${part}.bias`, n)),
  ]
}

function feedForward(block: string, n: number): Tensor[] {
  return [
    ...[exact(`${block}.mlp_ln.weight`, n), exact(`${block}.mlp_ln.bias`, n)],
    ...[weights(`${block}.mlp.0.weight`, n, 4 * n), exact(`${block}.mlp.0.bias`, 4 * n)],
    ...[weights(`${block}.mlp.2.weight`, 4 * n, n), exact(`${block}.mlp.2.bias`, n)],
  ]
}

function tensorsOf({ state: n, mels, vocab, audioLayers, textLayers }: Shape): Tensor[] {
  const blocks = (part: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${part}.blocks.${i}`)
  return [
    exact('encoder.positional_embedding', n, AUDIO_CONTEXT),
    ...[weights('encoder.conv1.weight', 3, mels, n), exact('encoder.conv1.bias', 1, n)],
    ...[weights('encoder.conv2.weight', 3, n, n), exact('encoder.conv2.bias', 1, n)],
    ...[exact('encoder.ln_post.weight', n), exact('encoder.ln_post.bias', n)],
    ...blocks('encoder', audioLayers).flatMap((it) => [...attention(`${it}.attn`, n), ...feedForward(it, n)]),
    exact('decoder.positional_embedding', n, TEXT_CONTEXT),
    weights('decoder.token_embedding.weight', n, vocab),
    ...[exact('decoder.ln.weight', n), exact('decoder.ln.bias', n)],
    ...blocks('decoder', textLayers).flatMap((it) => [
      ...[...attention(`${it}.attn`, n), ...attention(`${it}.cross_attn`, n)],
      ...feedForward(it, n),
    ]),
  ]
}

/** A multiple of what a weight has, of either type. */
const PIECE_BYTES = 1 << 22

/** Weights of either sign between 1/64 and 1/32: sums over some hundreds of them stay near 1. */
function randomHalves(): Buffer {
  const bits = randomFillSync(new Uint16Array(PIECE_BYTES / 2))
  return Buffer.from(bits.map((it) => (it & 0x83ff) | (9 << 10)).buffer)
}

/** Neither normalises nor shifts. */
const floats = (value: number): Buffer => Buffer.from(new Float32Array(PIECE_BYTES / 4).fill(value).buffer)

const numbers = (...values: number[]): Buffer => Buffer.from(new Int32Array(values).buffer)

/** Of the model in the repository: all of the family have the same. */
async function vocabulary(): Promise<Buffer> {
  const file = readFileSync((await resolveModel('mini')).path)
  const start = HEADER_BYTES + 8 + 4 * file.readInt32LE(HEADER_BYTES) * file.readInt32LE(HEADER_BYTES + 4)
  let end = start + 4
  for (let entry = file.readInt32LE(start); entry > 0; entry--) end += 4 + file.readUInt32LE(end)
  return file.subarray(start, end)
}

/** The model's path: of the one that was made before, or of a new one (large-v3: 3.1 GB, some seconds). */
export async function randomModel(name: string): Promise<string> {
  const shape = SHAPES[name]
  if (!shape) throw new Error(`There is no shape ${name}, but ${Object.keys(SHAPES).join(', ')}.`)
  const folder = join(cacheDir(), 'models')
  const path = join(folder, `random-${name}.bin`)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  const { vocab, state, heads, audioLayers, textLayers, mels } = shape
  const file = await open(`${path}.part`, 'w')
  const audio = [AUDIO_CONTEXT, state, heads, audioLayers]
  await file.writeFile(Buffer.from('lmgg'))
  await file.writeFile(numbers(vocab, ...audio, TEXT_CONTEXT, state, heads, textLayers, mels, F16))
  await file.writeFile(numbers(mels, FFT_BINS))
  await file.writeFile(floats(1 / FFT_BINS).subarray(0, 4 * mels * FFT_BINS))
  await file.writeFile(await vocabulary())
  const content = { halves: randomHalves(), ones: floats(1), zeros: floats(0) }
  for (const { name: tensor, dimensions, half } of tensorsOf(shape)) {
    await file.writeFile(numbers(dimensions.length, tensor.length, half ? F16 : 0, ...dimensions))
    await file.writeFile(tensor)
    const from = half ? content.halves : tensor.endsWith('.weight') ? content.ones : content.zeros
    let left = dimensions.reduce((product, n) => product * n, half ? 2 : 4)
    for (; left > 0; left -= PIECE_BYTES) await file.writeFile(from.subarray(0, Math.min(left, PIECE_BYTES)))
  }
  await file.close()
  renameSync(`${path}.part`, path)
  return path
}
