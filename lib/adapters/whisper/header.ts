import { type FileHandle, open } from 'node:fs/promises'
import { VerbatimError } from '../../core/errors.ts'

/** What the head of a model file says about it (whisper.cpp, `whisper_model_load`). */
export interface ModelHeader {
  /** False: an English-only model, which cannot detect a language. */
  readonly multilingual: boolean
  /** How many languages have a token; Cantonese came as the hundredth, with large-v3. */
  readonly languages: number
}

/** `ggml`, read as a little-endian number. */
const MAGIC = 0x67676d6c
/** n_vocab, n_audio_ctx, _state, _head, _layer, n_text_ctx, _state, _head, _layer, n_mels, ftype. */
const NUMBERS = 11
export const HEADER_BYTES = 4 * (1 + NUMBERS)

/** Vocabulary of the multilingual models without any language; whisper.cpp counts `n_vocab - 51765 - 1`. */
const VOCAB_WITHOUT_LANGUAGES = 51_766
const SMALLEST_MULTILINGUAL = 51_865

/** Reads the head of a model file. Fails with `model-missing` or `model-corrupt`. */
export async function readModelHeader(path: string): Promise<ModelHeader> {
  return await withModelFile(path, readHeader)
}

export async function readHeader(file: FileHandle): Promise<ModelHeader> {
  const head = Buffer.alloc(HEADER_BYTES)
  const { bytesRead } = await file.read(head, 0, head.length, 0)
  const numbers = Array.from({ length: NUMBERS }, (_, index) => head.readInt32LE(4 * (index + 1)))
  const vocab = numbers[0]!
  if (bytesRead < head.length || head.readUInt32LE(0) !== MAGIC || !isPlausible(numbers)) {
    throw new VerbatimError('model-corrupt', 'The model file is not a whisper model.')
  }
  const multilingual = vocab >= SMALLEST_MULTILINGUAL
  return { multilingual, languages: multilingual ? vocab - VOCAB_WITHOUT_LANGUAGES : 1 }
}

/** Other ggml files (Silero's, for one) begin with the same magic, but not with such numbers. */
function isPlausible(numbers: readonly number[]): boolean {
  const [vocab = 0, ...others] = numbers
  return vocab > 50_000 && vocab < 100_000 && others.slice(0, -1).every((n) => n > 0 && n <= 10_000)
}

/** Opens a model file for reading; a file that cannot be opened or read is `model-missing`. */
export async function withModelFile<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    return await read(file)
  } catch (error) {
    if (error instanceof VerbatimError) throw error
    throw new VerbatimError('model-missing', 'The model file cannot be read.', { cause: error })
  } finally {
    await file?.close()
  }
}
