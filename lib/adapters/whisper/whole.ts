import type { FileHandle } from 'node:fs/promises'
import { VerbatimError } from '../../core/errors.ts'
import { HEADER_BYTES, readHeader, withModelFile } from './header.ts'

/** Bytes and weights of a block, by ggml's tensor types (ggml.h, `ggml_type`; ggml-common.h). */
const BLOCKS: Readonly<Record<number, readonly [bytes: number, weights: number]>> = {
  0: [4, 1], // f32
  1: [2, 1], // f16
  2: [18, 32], // q4_0
  3: [20, 32], // q4_1
  6: [22, 32], // q5_0
  7: [24, 32], // q5_1
  8: [34, 32], // q8_0
}

/** More than any whisper tensor's head (three numbers, up to four dimensions, a name) takes. */
const TENSOR_HEAD_BYTES = 160

/**
 * Whether a model file goes on to the end of its last tensor. whisper.cpp itself takes a file that is cut off in
 * its last tensor for whole, and hears rubbish with it. Fails with `model-missing` or `model-corrupt`.
 */
export async function checkModelFile(path: string): Promise<void> {
  await withModelFile(path, async (file) => {
    await readHeader(file)
    const { size } = await file.stat()
    let at = await skipVocabulary(file, await skipFilters(file))
    while (at < size) {
      const end = await tensorEnd(file, at)
      if (end === undefined) return // of a type that is not in the table: nothing can be said
      at = end
    }
    if (at !== size) throw cutOff()
  })
}

/** Mel filters: rows, columns, then as many floats. */
async function skipFilters(file: FileHandle): Promise<number> {
  const head = await bytesAt(file, HEADER_BYTES, 8)
  return HEADER_BYTES + 8 + 4 * head.readInt32LE(0) * head.readInt32LE(4)
}

/** Vocabulary: how many entries, then the length and the bytes of each. */
async function skipVocabulary(file: FileHandle, start: number): Promise<number> {
  const entries = (await bytesAt(file, start, 4)).readInt32LE(0)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1 << 22), 0, 1 << 22, start + 4)
  let offset = 0
  for (let entry = 0; entry < entries; entry += 1) {
    if (offset + 4 > bytesRead) throw cutOff()
    offset += 4 + buffer.readUInt32LE(offset)
  }
  return start + 4 + offset
}

/** Tensor: dimensions, length of the name, type; the dimensions; the name; the weights. */
async function tensorEnd(file: FileHandle, start: number): Promise<number | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(TENSOR_HEAD_BYTES), 0, TENSOR_HEAD_BYTES, start)
  if (bytesRead < 12) throw cutOff()
  const dimensions = buffer.readInt32LE(0)
  const nameBytes = buffer.readInt32LE(4)
  const block = BLOCKS[buffer.readInt32LE(8)]
  if (!block || dimensions < 1 || dimensions > 4) return undefined
  let weights = 1
  for (let d = 0; d < dimensions; d += 1) weights *= buffer.readInt32LE(12 + 4 * d)
  const [bytes, perBlock] = block
  return start + 12 + 4 * dimensions + nameBytes + (weights / perBlock) * bytes
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  if (bytesRead < length) throw cutOff()
  return buffer
}

const cutOff = () => new VerbatimError('model-corrupt', 'The model file is cut off.')
