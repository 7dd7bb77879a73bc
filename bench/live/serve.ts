import { join } from 'node:path'
import { samplePath } from '../../test/support/reference.ts'
import {
  ended,
  type RunningService,
  startService,
  tempFolder,
  uploadFile,
} from '../../test/support/service.ts'

export interface ServiceOptions {
  readonly model: string
  readonly threads: number
  /** Live sessions worked on at once. */
  readonly sessions: number
}

const HOUR = 3_600_000

/** A service that has done its first job: what is loaded once is loaded. Whatever becomes of `use`, it is ended. */
export async function withService<T>(
  { model, threads, sessions }: ServiceOptions,
  use: (service: RunningService) => Promise<T>,
): Promise<T> {
  const args = ['--model', model, '--threads', String(threads), '--sessions', String(sessions)]
  const data = join(await tempFolder(), 'data')
  const service = await startService({ data, args: [...args, '--log', 'error'] })
  try {
    await done(service, await uploadFile(service, samplePath('short')))
    return await use(service)
  } finally {
    await service.end()
  }
}

/** Waits for a job to be COMPLETED. */
export async function done(service: RunningService, jobId: string) {
  const status = await ended(service, jobId, HOUR)
  if (status.status !== 'COMPLETED') throw new Error(`the job is ${status.status}`)
  return status
}
