import { stat } from 'node:fs/promises'
import { basename, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VerbatimError } from '../../core/errors.ts'
import { CATALOGUE, type CatalogueModel, catalogueModel, modelPath } from './catalogue.ts'
import { type FetchOptions, fetchModel } from './fetch-model.ts'

/** The demonstration model that comes with the repository. */
const MINI = 'mini'
const MINI_PATH = fileURLToPath(new URL('../../../models/mini/ggml-mini-q5_0.bin', import.meta.url))

export interface ModelRef {
  readonly name: string
  readonly path: string
}

export interface ListedModel {
  readonly name: string
  readonly kind: CatalogueModel['kind']
  readonly installed: boolean
  readonly sizeBytes: number
}

/**
 * Where a model is: `mini`, a name of the catalogue that was fetched, or the path of a model file (anything with
 * a slash, or that ends in .bin). Fails with `model-missing`, whose hint says how to get it.
 */
export async function resolveModel(nameOrPath: string): Promise<ModelRef> {
  if (nameOrPath === MINI) return await present({ name: MINI, path: MINI_PATH })
  if (isPath(nameOrPath)) {
    const name = basename(nameOrPath, '.bin').replace(/^ggml-/, '')
    return await present({ name, path: resolve(nameOrPath) })
  }
  const model = catalogueModel(nameOrPath)
  const path = modelPath(model)
  if ((await sizeOf(path)) === model.sizeBytes) return { name: model.name, path }
  throw new VerbatimError('model-missing', `The model ${model.name} is not on this machine.`, {
    hint: `Run \`verbatim model get ${model.name}\`.`,
  })
}

/**
 * Fetches a model of the catalogue into the cache and checks it; what is there already is not fetched again.
 * VERBATIM_MODEL_URL names another folder to fetch from (a mirror, or file:// on a closed network).
 *
 * Fails with `model-missing` (unknown name, or the server has no such file), `model-corrupt` (other bytes than
 * expected), `network`, `disk-full` or `cancelled` (signal; what has arrived is kept for the next call).
 */
export async function getModel(name: string, options: FetchOptions = {}): Promise<ModelRef> {
  if (name === MINI) return await resolveModel(name)
  return { name, path: await fetchModel(catalogueModel(name), options) }
}

/** Every model that is known by name, and which of them are here. */
export async function listModels(): Promise<ListedModel[]> {
  const mini = await sizeOf(MINI_PATH)
  const listed = CATALOGUE.map(async (model): Promise<ListedModel> => {
    const { name, kind, sizeBytes } = model
    return { name, kind, sizeBytes, installed: (await sizeOf(modelPath(model))) === sizeBytes }
  })
  return [
    { name: MINI, kind: 'whisper', installed: mini !== undefined, sizeBytes: mini ?? 0 },
    ...(await Promise.all(listed)),
  ]
}

const isPath = (text: string): boolean => text.includes('/') || text.includes(sep) || text.endsWith('.bin')

async function present(model: ModelRef): Promise<ModelRef> {
  if ((await sizeOf(model.path)) !== undefined) return model
  throw new VerbatimError('model-missing', 'There is no model file at this path.', {
    hint: 'Check the path, or give the name of a model: `verbatim model list` shows them.',
  })
}

/** Size of a file in bytes; undefined for what is not there or not a file. */
const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  )
