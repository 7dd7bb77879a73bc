import type { doctor } from '../local/admin.ts'

export type Finding = Awaited<ReturnType<typeof doctor>>[number]

/** Local administration touches stores and tools, so it lives with the local host and is loaded only when asked for. */
export const loadAdmin = () => import('../local/admin.ts')
