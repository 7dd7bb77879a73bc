import { stat } from 'node:fs/promises'
import { env } from '../env.ts'
import { type CatalogueModel, modelPath } from './catalogue.ts'
import { type Download, download } from './download.ts'
import { withLock } from './lock.ts'

export type FetchOptions = Pick<Download, 'onProgress' | 'signal' | 'attempts' | 'retryDelayMs' | 'stallMs'>

/** Brings one model into the cache, unless it is there, and gives its path. Errors: see `getModel`. */
export async function fetchModel(model: CatalogueModel, options: FetchOptions = {}): Promise<string> {
  const target = modelPath(model)
  const { sizeBytes, checksum } = model
  await withLock(`${target}.lock`, options, async () => {
    if (await isThere(target, sizeBytes)) return
    await download({ url: urlOf(model), target, sizeBytes, checksum, ...options })
  })
  return target
}

function urlOf(model: CatalogueModel): string {
  const base = env().VERBATIM_MODEL_URL ?? model.base
  return `${base.replace(/\/+$/, '')}/${model.fileName}`
}

const isThere = (path: string, sizeBytes: number): Promise<boolean> =>
  stat(path).then(
    (found) => found.size === sizeBytes,
    () => false,
  )
