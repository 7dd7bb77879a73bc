import { readStatus } from '../../../lib/core/batch/6-status.ts'
import { WorkMessage } from '../../../lib/core/batch/messages.ts'
import { workOn } from '../../../lib/core/batch/work.ts'
import { VerbatimError } from '../../../lib/core/errors.ts'
import { isTerminal, type Job } from '../../../lib/core/job.ts'
import { transcriptKey } from '../../../lib/core/keys.ts'
import type { Queue } from '../../../lib/core/ports.ts'
import type { TestPorts } from '../../support/ports.ts'
import { createScriptedEngine } from '../../support/scripted-engine.ts'
import { stored } from './jobs.ts'
import { queueJob, THREE } from './recordings.ts'
import { remains } from './sharded.ts'

// A recording in three shards, brought to its end by one worker after the other, while a test meddles with their calls.

/** A call of a port that a worker makes. */
export interface Call {
  /** From 1, over all workers of the run. */
  readonly n: number
  /** `objects.put` */
  readonly name: string
  readonly args: readonly unknown[]
}

export interface Worker {
  /** Its message was not given back: it is delivered once more. */
  dead: boolean
  readonly drain: AbortController
}

/** Does a worker's call, by `go`, or something else. */
export type Fate = (call: Call, go: () => Promise<unknown>, worker: Worker, run: Run) => Promise<unknown>

const undisturbed: Fate = (_, go) => go()

const PORTS = ['jobs', 'objects', 'shards', 'shardWork', 'engine', 'packer', 'decoder'] as const

export interface Run {
  readonly job: Job
  readonly calls: Call[]
  /** Of every delivery; `died` where nobody was left to say. */
  readonly outcomes: string[]
  /** What its owner saw before every call while it was PROCESSING. */
  readonly seen: Array<{ readonly progress: number; readonly done: number }>
  /** The lengths of the windows that have been heard and saved, in ms; each has another one. */
  readonly saved: Set<number>
  /** How often one of those was heard again. */
  inVain: number
  /** How often the job was written as COMPLETED. */
  completed: number
  /** How often who waits for the end was told, after it. */
  told: number
}

/** A job from its message to its end, whatever fate has in store for its workers. */
export async function play(ports: TestPorts, fate?: Fate, settings?: Settings): Promise<Run> {
  ports.reset()
  ports.engine = createScriptedEngine()
  const job = await queueJob(ports, THREE)
  const run: Run = {
    ...{ job, calls: [], outcomes: [], seen: [], saved: new Set<number>() },
    ...{ inVain: 0, completed: 0, told: 0 },
  }
  const { tenant, jobId } = job
  await ports.work.send(JSON.stringify({ tenant, jobId }))
  await carryOn(ports, run, fate, settings)
  return run
}

interface Settings extends Partial<TestPorts['settings']> {
  /** So many messages are delivered; without a number all there are. */
  readonly deliveries?: number
}

/** Delivers what lies in the queues until nothing is left. */
export const carryOn = (
  ports: TestPorts,
  run: Run,
  fate: Fate = undisturbed,
  { deliveries, ...settings }: Settings = {},
): Promise<void> =>
  workOff(ports, run, deliveries, async (message) => {
    const worker: Worker = { dead: false, drain: new AbortController() }
    const there = {
      ...ports,
      settings: { ...ports.settings, ...settings },
      ended: async () => void ((await hasEnded(ports, run.job)) && run.told++),
    }
    const owner = `worker/${run.outcomes.length}`
    const meddled = wrap(there, (name, args, go) => meddle(ports, run, worker, fate, { name, args }, go))
    const outcome = await workOn(meddled)(message, owner, worker.drain.signal).then(
      (result) => result.outcome,
      () => 'threw',
    )
    return worker.dead ? 'died' : outcome
  })

const hasEnded = async (ports: TestPorts, job: Job): Promise<boolean> => {
  const now = await stored(ports, job)
  return now === undefined || isTerminal(now.status)
}

async function meddle(
  ports: TestPorts,
  run: Run,
  worker: Worker,
  fate: Fate,
  { name, args }: Omit<Call, 'n'>,
  go: () => Promise<unknown>,
): Promise<unknown> {
  const call = { n: run.calls.length + 1, name, args }
  run.calls.push(call)
  await lookAt(ports, run)
  return fate(call, () => noted(run, call, go), worker, run)
}

async function noted(run: Run, { name, args: [first] }: Call, go: () => Promise<unknown>): Promise<unknown> {
  if (name === 'engine.hear' && run.saved.has((first as Int16Array).length / 16)) run.inVain++
  const result = await go()
  const window = name === 'objects.put' && /\/0-(\d+)-(\d+)\.json$/.exec(String(first))
  if (window) run.saved.add(Number(window[2]) - Number(window[1]))
  const wrote = name === 'jobs.replace' && (result as { outcome: string }).outcome === 'replaced'
  if (wrote && (first as Job).status === 'COMPLETED') run.completed++
  return result
}

async function lookAt(ports: TestPorts, { job, seen }: Run): Promise<void> {
  const view = await readStatus(ports)(job.tenant, job.jobId).catch((error: unknown) => {
    if (error instanceof VerbatimError && error.code === 'unknown-job') return undefined
    throw error
  })
  if (view?.status !== 'PROCESSING') return
  seen.push({ progress: view.progress, done: view.shards?.done ?? 0 })
}

type Wrapped = (name: string, args: unknown[], go: () => Promise<unknown>) => Promise<unknown>

function wrap<P extends TestPorts & { ended: () => Promise<void> }>(ports: P, around: Wrapped): P {
  const wrapped = PORTS.map((port) => [
    port,
    new Proxy(ports[port], {
      get(target: object, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) =>
          around(`${port}.${String(name)}`, args, async () => value.apply(target, args))
      },
    }),
  ])
  return {
    ...ports,
    ...Object.fromEntries(wrapped),
    ended: () => around('ended', [], ports.ended),
  }
}

/** More often, and a job would be worked on for ever. */
const MOST_DELIVERIES = 100

type Deliver = (message: WorkMessage) => Promise<string>

/**
 * Who died had lost hold of his message before his lease ran out: it comes again at once, and then, like one that is asked
 * for again, after as long as a lease.
 */
async function workOff(
  ports: TestPorts,
  { outcomes }: Run,
  most = Number.POSITIVE_INFINITY,
  deliver: Deliver,
): Promise<void> {
  const queues = [ports.work, ports.shardWork]
  const until = outcomes.length + most
  while (outcomes.length < until && ['work', 'shards'].some((name) => ports.pending(name).length > 0)) {
    if (outcomes.length >= MOST_DELIVERIES) throw new Error(`never ends: ${outcomes.join()}`)
    const found = await receiveOf(queues, ports.settings.leaseMs)
    if (!found) {
      ports.time.now += ports.settings.leaseMs
      continue
    }
    const { queue, message } = found
    const outcome = await deliver(WorkMessage.parse(JSON.parse(message.body)))
    outcomes.push(outcome)
    if (outcome === 'died') await queue.extend(message.receipt, 0)
    else if (outcome !== 'again' && outcome !== 'threw') await queue.remove(message.receipt)
  }
}

async function receiveOf(queues: readonly Queue[], visibilityMs: number) {
  for (const queue of queues) {
    const [message] = await queue.receive({ max: 1, visibilityMs, waitMs: 0 })
    if (message) return { queue, message }
  }
  return undefined
}

/** The files as they are downloaded, without what differs from job to job. */
export async function filesOf({ objects }: TestPorts, { job }: Pick<Run, 'job'>) {
  const files = job.options.formats.map(async (format) => {
    const text = Buffer.from((await objects.get(transcriptKey(job, format))) ?? []).toString()
    return [format, format === 'json' ? jsonOf(text) : text] as const
  })
  return Object.fromEntries(await Promise.all(files)) as Record<string, unknown>
}

function jsonOf(text: string): unknown {
  const { jobId: _, createdAt: __, ...rest } = JSON.parse(text || '{}') as Record<string, unknown>
  return rest
}

/** Whether what a job's owner sees ever went back. */
export const everBack = ({ seen }: Run): boolean =>
  seen.some(
    ({ progress, done }, i) => i > 0 && (progress < seen[i - 1]!.progress || done < seen[i - 1]!.done),
  )

/** Everything about a run that is to be the same however it went. */
export async function endOf(ports: TestPorts, run: Run) {
  const { completed, told, inVain, job } = run
  const said = await filesOf(ports, run)
  return { ...(await remains(ports, job)), said, completed, told: told > 0, inVain, back: everBack(run) }
}
