import { fileURLToPath } from 'node:url'

/** The repository: what bundles and images are made of. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
