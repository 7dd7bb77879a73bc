import { join } from 'node:path'
import { VerbatimError } from '../../core/errors.ts'
import { cacheDir } from '../cache.ts'
import type { Download } from './download.ts'

/** A model that can be fetched by its name. */
export interface CatalogueModel {
  readonly name: string
  readonly kind: 'whisper' | 'vad'
  readonly fileName: string
  readonly sizeBytes: number
  readonly checksum: Download['checksum']
  /** The address of the folder that holds it, where no mirror is set. */
  readonly base: string
}

const WHISPER = 'https://huggingface.co/ggerganov/whisper.cpp/resolve/main'
const VAD = 'https://huggingface.co/ggml-org/whisper-vad/resolve/main'

/**
 * SHA-1 and exact size in bytes of whisper.cpp's own conversions. The checksums are those of the README of the
 * repository that holds the files; whisper.cpp's models/README.md (v1.9.3) lists the same for those it names.
 * `.en` hears English only; `q5_0`, `q5_1` and `q8_0` are quantised.
 */
const WHISPER_FILES: ReadonlyArray<readonly [name: string, sizeBytes: number, sha1: string]> = [
  ['tiny', 77_691_713, 'bd577a113a864445d4c299885e0cb97d4ba92b5f'],
  ['tiny-q5_1', 32_152_673, '2827a03e495b1ed3048ef28a6a4620537db4ee51'],
  ['tiny-q8_0', 43_537_433, '19e8118f6652a650569f5a949d962154e01571d9'],
  ['tiny.en', 77_704_715, 'c78c86eb1a8faa21b369bcd33207cc90d64ae9df'],
  ['tiny.en-q5_1', 32_166_155, '3fb92ec865cbbc769f08137f22470d6b66e071b6'],
  ['base', 147_951_465, '465707469ff3a37a2b9b8d8f89f2f99de7299dac'],
  ['base-q5_1', 59_707_625, 'a3733eda680ef76256db5fc5dd9de8629e62c5e7'],
  ['base-q8_0', 81_768_585, '7bb89bb49ed6955013b166f1b6a6c04584a20fbe'],
  ['base.en', 147_964_211, '137c40403d78fd54d454da0f9bd998f78703390c'],
  ['base.en-q5_1', 59_721_011, 'd26d7ce5a1b6e57bea5d0431b9c20ae49423c94a'],
  ['small', 487_601_967, '55356645c2b361a969dfd0ef2c5a50d530afd8d5'],
  ['small-q5_1', 190_085_487, '6fe57ddcfdd1c6b07cdcc73aaf620810ce5fc771'],
  ['small-q8_0', 264_464_607, 'bcad8a2083f4e53d648d586b7dbc0cd673d8afad'],
  ['small.en', 487_614_201, 'db8a495a91d927739e50b3fc1cc4c6b8f6c2d022'],
  ['small.en-q5_1', 190_098_681, '20f54878d608f94e4a8ee3ae56016571d47cba34'],
  ['medium', 1_533_763_059, 'fd9727b6e1217c2f614f9b698455c4ffd82463b4'],
  ['medium-q5_0', 539_212_467, '7718d4c1ec62ca96998f058114db98236937490e'],
  ['medium-q8_0', 823_369_779, 'e66645948aff4bebbec71b3485c576f3d63af5d6'],
  ['medium.en', 1_533_774_781, '8c30f0e44ce9560643ebd10bbe50cd20eafd3723'],
  ['medium.en-q5_0', 539_225_533, 'bb3b5281bddd61605d6fc76bc5b92d8f20284c3b'],
  ['large-v1', 3_094_623_691, 'b1caaf735c4cc1429223d5a74f0f4d0b9b59a299'],
  ['large-v2', 3_094_623_691, '0f4c8e34f21cf1a914c59d8b3ce882345ad349d6'],
  ['large-v2-q5_0', 1_080_732_091, '00e39f2196344e901b3a2bd5814807a769bd1630'],
  ['large-v2-q8_0', 1_656_129_691, 'da97d6ca8f8ffbeeb5fd147f79010eeea194ba38'],
  ['large-v3', 3_095_033_483, 'ad82bf6a9043ceed055076d0fd39f5f186ff8062'],
  ['large-v3-q5_0', 1_081_140_203, 'e6e2ed78495d403bef4b7cff42ef4aaadcfea8de'],
  ['large-v3-turbo', 1_624_555_275, '4af2b29d7ec73d781377bfd1758ca957a807e941'],
  ['large-v3-turbo-q5_0', 574_041_195, 'e050f7970618a659205450ad97eb95a18d69c9ee'],
  ['large-v3-turbo-q8_0', 874_188_075, '01bf15bedffe9f39d65c1b6ff9b687ea91f59e0e'],
]

/** SHA-256 of Silero's voice detectors in ggml form (ggml-org/whisper-vad, the LFS object ids). */
const VAD_FILES: typeof WHISPER_FILES = [
  ['silero-v5.1.2', 885_098, '29940d98d42b91fbd05ce489f3ecf7c72f0a42f027e4875919a28fb4c04ea2cf'],
  ['silero-v6.2.0', 885_098, '2aa269b785eeb53a82983a20501ddf7c1d9c48e33ab63a41391ac6c9f7fb6987'],
]

export const CATALOGUE: readonly CatalogueModel[] = [
  ...WHISPER_FILES.map(
    ([name, sizeBytes, hex]): CatalogueModel => ({
      name,
      kind: 'whisper',
      fileName: `ggml-${name}.bin`,
      sizeBytes,
      checksum: { algorithm: 'sha1', hex },
      base: WHISPER,
    }),
  ),
  ...VAD_FILES.map(
    ([name, sizeBytes, hex]): CatalogueModel => ({
      name,
      kind: 'vad',
      fileName: `ggml-${name}.bin`,
      sizeBytes,
      checksum: { algorithm: 'sha256', hex },
      base: VAD,
    }),
  ),
]

/** The catalogue's entry; fails with `model-missing` for a name it does not have. */
export function catalogueModel(name: string): CatalogueModel {
  const model = CATALOGUE.find((entry) => entry.name === name)
  if (model) return model
  throw new VerbatimError('model-missing', 'There is no model of this name.', {
    hint: '`verbatim model list` shows the names; a model file of your own is given by its path.',
  })
}

/** Where a model of the catalogue lies once it is fetched. */
export const modelPath = (model: CatalogueModel): string => join(cacheDir(), 'models', model.fileName)
