import type { PlannedShard } from '../../../lib/core/batch/3-plan.ts'
import { WorkMessage } from '../../../lib/core/batch/messages.ts'
import { savePlan } from '../../../lib/core/batch/plan-store.ts'
import { storeSound } from '../../../lib/core/batch/shard-sound.ts'
import { type WorkPorts, workOn } from '../../../lib/core/batch/work.ts'
import type { Job } from '../../../lib/core/job.ts'
import { transcriptKey } from '../../../lib/core/keys.ts'
import type { Log, SoundPacker } from '../../../lib/core/ports.ts'
import { DEFAULT_SETTINGS } from '../../../lib/core/settings.ts'
import type { Actor, Run } from '../../support/cast.ts'
import { createMemoryJobs, createMemoryObjects, createMemoryShards } from '../../support/memory.ts'
import { START } from '../../support/ports.ts'
import type { System } from '../../support/schedules.ts'
import { createScriptedEngine } from '../../support/scripted-engine.ts'
import { OWNER, STATES, storeJob } from './jobs.ts'
import { mortal, noted, steppingJobs, steppingShards } from './sharded-steps.ts'

// A job whose shards are stored, and all the workers that its messages bring to it.

const SILENT_LOG: Log = { info() {}, warn() {}, error() {}, with: () => SILENT_LOG }
const PACKER: SoundPacker = {
  pack: async (pcm16) => new Uint8Array(pcm16.buffer.slice(0)),
  unpack: async (bytes) => new Int16Array(Uint8Array.from(bytes).buffer),
}

/** A shard for each length, in ms; a window in each. */
const shardsOf = (lengths: readonly number[]): PlannedShard[] =>
  lengths.map((ms, n) => ({
    ...{ channel: 0, regions: [], seams: [] },
    windows: [{ startMs: n * 1000, endMs: n * 1000 + ms }],
  }))

export interface Scene {
  /** Length of each shard in ms. */
  readonly lengths: readonly number[]
  /** The planner has announced all of them, and has gone; else he comes now. */
  readonly sent: boolean
  /** All messages come twice. */
  readonly twice?: boolean
  /** At some moment so much time passes that every lease has run out. */
  readonly pause?: boolean
}

type Stored = Awaited<ReturnType<typeof stage>>

/** What is there when the run begins. */
async function stage({ lengths, sent }: Scene) {
  const stores = { jobs: createMemoryJobs(), shards: createMemoryShards(), objects: createMemoryObjects() }
  const planned = shardsOf(lengths)
  const shards = { total: planned.length, audioMs: 100, sent }
  const state = { ...STATES.PROCESSING, shards, lease: { owner: OWNER, until: START } }
  const job = await storeJob(
    { ...stores, newJobId: () => '01JD0000000000000000000001', clock: () => START } as never,
    state,
    { options: { formats: ['json'] } },
  )
  const recording = {
    durationMs: 60_000,
    read: async (_: number, startMs: number, endMs: number) => new Int16Array((endMs - startMs) * 16),
  }
  const ports = { ...stores, packer: PACKER } as never
  for (const [n, shard] of planned.entries()) await storeSound(ports, job, recording, shard, n)
  const language = { code: 'en', detected: false }
  await savePlan(stores.objects, job, { durationMs: 60_000, truncated: false, language, shards: planned })
  await stores.shards.begin(job)
  return { ...stores, job }
}

/** A run of the scene, from its beginning. */
export const begin =
  (scene: Scene) =>
  async (run: Run): Promise<System> =>
    createSystem(scene, await stage(scene), run)

/** More often, and a message would have gone to the dead letters. */
const MOST_ROUNDS = 5

function createSystem(scene: Scene, stored: Stored, run: Run): System {
  const { jobs, shards, objects, job } = stored
  const time = { now: START }
  const waiting: WorkMessage[] = []
  const stitching = new Set<Actor>()
  let deliveries = 0
  let rounds = 0
  let completed = 0
  let told = 0

  const clock = () => {
    run.touch('time', false)
    return time.now
  }

  /** The job's record as `actor` writes it, with an eye on who joins the shards. */
  const watched = (actor: Actor) => ({
    ...jobs,
    async replace(next: Job) {
      const result = await jobs.replace(next)
      if (result.outcome !== 'replaced') return result
      if (next.status === 'COMPLETED') completed++
      const takes = next.status === 'PROCESSING' && next.shards?.sent && next.lease.owner !== 'nobody'
      if (takes) {
        const others = [...stitching].filter((other) => other !== actor && !other.dead)
        if (others.length > 0 && !scene.pause) run.fail('two join the shards at once')
        stitching.add(actor)
      }
      return result
    },
  })

  function portsOf(actor: Actor): WorkPorts {
    const ports = {
      ...{ log: SILENT_LOG, packer: PACKER, clock, decoder: undefined },
      jobs: steppingJobs(run, actor, watched(actor)),
      shards: steppingShards(run, actor, shards),
      shardWork: { send: (body: string) => actor.turn(async () => deliver(parse(body))) },
      objects: mortal(actor, noted(run, objects)),
      engine: mortal(actor, createScriptedEngine()),
      settings: { ...DEFAULT_SETTINGS, heartbeatMs: 3_600_000 },
      ended: async () => {
        if (actor.dead) throw new Error('dead')
        if ((await jobs.get(job.tenant, job.jobId))?.status === 'COMPLETED') told++
      },
    }
    return ports as unknown as WorkPorts
  }

  function deliver(message: WorkMessage): void {
    const name = `${message.shard ?? 'planner'}#${++deliveries}`
    run.start(name, async (actor) => {
      const never = new AbortController().signal
      const outcome = await workOn(portsOf(actor))(message, name, never).then(
        (result) => result.outcome,
        () => 'again',
      )
      stitching.delete(actor)
      // A message is deleted when its worker says so, and comes again when he can say nothing any more.
      if (actor.dead || outcome === 'again') waiting.push(message)
    })
  }

  const { tenant, jobId } = job
  const messages: WorkMessage[] = scene.sent
    ? scene.lengths.map((_, shard) => ({ tenant, jobId, shard }))
    : [{ tenant, jobId }]
  for (const message of scene.twice ? [...messages, ...messages] : messages) deliver(message)
  if (scene.pause) {
    run.start('time', (actor) =>
      actor.turn(async () => {
        run.touch('time', true)
        time.now += DEFAULT_SETTINGS.leaseMs
      }),
    )
  }

  return {
    idle() {
      const again = waiting.splice(0).toSorted((a, b) => (a.shard ?? -1) - (b.shard ?? -1))
      if (again.length === 0) return false
      if (++rounds > MOST_ROUNDS) throw new Error('stuck: messages are delivered again and again')
      time.now += DEFAULT_SETTINGS.leaseMs
      for (const message of again) deliver(message)
      return true
    },
    async end() {
      const now = await jobs.get(tenant, jobId)
      const json = await objects.get(transcriptKey(job, 'json'))
      const text = json && (JSON.parse(Buffer.from(json).toString()) as { text: string }).text
      const found = {
        status: now?.status,
        completed,
        told: told > 0,
        text,
        keys: objects.keys(),
        tally: await shards.read(job),
      }
      const wanted = {
        ...{ status: 'COMPLETED', completed: 1, told: true },
        text: scene.lengths.map((ms) => `Xyzzy ${ms} en`).join(' '),
        keys: [transcriptKey(job, 'json')],
        tally: undefined,
      }
      if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(JSON.stringify(found))
    },
  }
}

const parse = (body: string) => WorkMessage.parse(JSON.parse(body))
