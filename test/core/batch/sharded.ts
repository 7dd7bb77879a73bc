import { WorkMessage } from '../../../lib/core/batch/messages.ts'
import { workOn } from '../../../lib/core/batch/work.ts'
import type { Job } from '../../../lib/core/job.ts'
import { transcriptKey } from '../../../lib/core/keys.ts'
import type { Message, Queue } from '../../../lib/core/ports.ts'
import { Transcript } from '../../../lib/core/transcript/shape.ts'
import type { TestPorts } from '../../support/ports.ts'
import { wavBytes } from '../../support/speak.ts'
import { stored } from './jobs.ts'
import { bursts, leftovers, objectsOf } from './recordings.ts'

// The lane of recordings that are longer than a shard, with its queues, as a host runs it.

/** So that each burst is a shard. A heart so slow that the calls of a worker are always the same. */
export const SHARDED = { shardMs: 1000, heartbeatMs: 3_600_000 }

/** Five shards, each of another length. */
export const LENGTHS = [1200, 1600, 2000, 1400, 1800] as const
export const FIVE = wavBytes(bursts(...LENGTHS))

/** Longer than any lease. */
const VISIBILITY_MS = 60_000

export const announce = ({ work }: Pick<TestPorts, 'work'>, { tenant, jobId }: Job): Promise<void> =>
  work.send(JSON.stringify({ tenant, jobId }))

export interface Host {
  /** What a delivery works with; by default the test's ports. */
  readonly portsFor?: (message: WorkMessage) => Partial<TestPorts>
  /** So many messages are worked on at once. */
  readonly workers?: number
  /** In which order messages are taken that wait at the same time. */
  readonly order?: (messages: readonly Message[]) => readonly Message[]
}

let deliveries = 0

/** Hands messages to workers until none is left. Time passes only when none can be brought further. */
export async function pump(ports: TestPorts, host: Host = {}): Promise<string[]> {
  const { workers = 1, order = (messages) => messages } = host
  const outcomes: string[] = []
  for (let round = 0; pendingOf(ports).length > 0; round++) {
    if (round > 100) throw new Error('messages are delivered again and again')
    const taken = (await Promise.all([ports.work, ports.shardWork].map(takeFrom))).flat()
    const before = outcomes.length
    const waiting = [...order(taken.map(({ message }) => message))]
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift())
        outcomes.push(await handle(ports, host, taken.find(({ message }) => message === next)!))
    }
    await Promise.all(Array.from({ length: workers }, worker))
    const waits = (outcome: string) => outcome === 'again' || outcome === 'error'
    if (outcomes.slice(before).every(waits)) ports.time.now += VISIBILITY_MS
  }
  return outcomes
}

export const pendingOf = (ports: TestPorts) => [...ports.pending('work'), ...ports.pending('shards')]

const takeFrom = async (queue: Queue) =>
  (await queue.receive({ max: 10, visibilityMs: VISIBILITY_MS, waitMs: 0 })).map((message) => ({
    queue,
    message,
  }))

async function handle(
  ports: TestPorts,
  { portsFor = () => ({}) }: Host,
  { queue, message }: { queue: Queue; message: Message },
): Promise<string> {
  const body = WorkMessage.parse(JSON.parse(message.body))
  const there = { ...ports, ...portsFor(body) }
  const outcome = await workOn(there)(body, `worker/${++deliveries}`, new AbortController().signal).then(
    (result) => result.outcome,
    () => 'error',
  )
  if (outcome === 'again' || outcome === 'error') await queue.extend(message.receipt, 0)
  else await queue.remove(message.receipt)
  return outcome
}

export async function transcriptOf({ objects }: Pick<TestPorts, 'objects'>, job: Job): Promise<Transcript> {
  const bytes = await objects.get(transcriptKey(job, 'json'))
  return Transcript.parse(JSON.parse(Buffer.from(bytes!).toString('utf8')))
}

/** All that is said, less what differs between two runs. */
export async function saidOf(ports: TestPorts, job: Job) {
  const { jobId: _, createdAt: __, statistics, ...said } = await transcriptOf(ports, job)
  const { shards: ___, ...counted } = statistics!
  const files = ['srt', 'vtt', 'txt'].map(async (format) => {
    const bytes = await ports.objects.get(transcriptKey(job, format))
    return bytes && Buffer.from(bytes).toString('utf8')
  })
  return { ...said, ...counted, files: await Promise.all(files) }
}

/** What there is of a job, wherever something may lie. */
export async function remains(ports: TestPorts, job: Job) {
  return {
    status: (await stored(ports, job))?.status,
    objects: await objectsOf(ports, job),
    tally: await ports.shards.read(job),
    messages: pendingOf(ports),
    files: await leftovers(ports),
  }
}

const FILES = ['json', 'srt', 'txt', 'vtt'].map((format) => `transcripts/.${format}`)

/** What remains of a job at each of its ends. */
export const AFTER = {
  COMPLETED: { status: 'COMPLETED', objects: ['uploads/', ...FILES] },
  FAILED: { status: 'FAILED', objects: ['uploads/'] },
  CANCELLED: { status: 'CANCELLED', objects: [] as string[] },
  erased: { status: undefined, objects: [] as string[] },
} as const

export const nothingElse = { tally: undefined, messages: [] as unknown[], files: [] as string[] }
