import { readdir } from 'node:fs/promises'
import { workOn } from '../../../lib/core/batch/work.ts'
import type { Job, JobOptions } from '../../../lib/core/job.ts'
import { prefixesOf, uploadKey } from '../../../lib/core/keys.ts'
import { tone } from '../../support/media.ts'
import type { TestPorts } from '../../support/ports.ts'
import { concat, silence, wavBytes } from '../../support/speak.ts'
import { storeJob } from './jobs.ts'

/** One sound of each length with so much silence between them that each is a window of its own. */
export const bursts = (...lengthsMs: number[]): Int16Array =>
  concat(
    lengthsMs.map((ms) => tone(300, ms)),
    6000,
  )

/** Sound in which nobody pauses, yet which rises and falls as syllables do. Lengths of whole 200 ms. */
export const unbroken = (ms: number): Int16Array =>
  concat(Array.from({ length: ms / 200 }, () => [tone(300, 100), tone(300, 100, 2000)]).flat())

/** Three windows, each of another length: 1.8, 2.2 and 2.6 s and the pauses around them. */
export const THREE = wavBytes(bursts(1200, 1600, 2000))
export const ONE = wavBytes(bursts(1200))
export const SILENT = wavBytes(silence(4000))

/** A job whose recording has arrived. */
export async function queueJob(
  ports: TestPorts,
  bytes: Uint8Array = THREE,
  options: Partial<JobOptions> = {},
): Promise<Job> {
  const job = await storeJob(ports, 'QUEUED', { sizeBytes: bytes.length, options })
  await ports.objects.put(uploadKey(job), bytes, 'audio/wav')
  return job
}

let deliveries = 0

/** One delivery of the job's message to a worker. */
export const deliver = async (
  ports: TestPorts,
  job: Job,
  drain: AbortSignal = new AbortController().signal,
): Promise<string> => {
  const { tenant, jobId } = job
  return (await workOn(ports)({ tenant, jobId }, `worker/${++deliveries}`, drain)).outcome
}

/** Deliveries until no more is asked for. */
export async function deliverAll(ports: TestPorts, job: Job): Promise<string[]> {
  const outcomes: string[] = []
  while (outcomes.length < 10 && (outcomes.at(-1) ?? 'again') === 'again')
    outcomes.push(await deliver(ports, job))
  return outcomes
}

/** What there is of a job in the object store, as `kind/rest`, without tenant and id. */
export async function objectsOf({ objects }: Pick<TestPorts, 'objects'>, job: Job): Promise<string[]> {
  const keys = await Promise.all(prefixesOf(job).map((prefix) => objects.list(prefix)))
  return keys.flat().map((key) => key.replace(`${job.tenant}/${job.jobId}`, ''))
}

/** Decoded sound and pinned files that nobody gave back. */
export async function leftovers(ports: TestPorts): Promise<string[]> {
  const folders = [ports.scratchDir, `${ports.dataDir}/objects/pins`]
  const files = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))
  return [...files.flat(), ...Array<string>(ports.heldRecordings()).fill('recording')]
}
