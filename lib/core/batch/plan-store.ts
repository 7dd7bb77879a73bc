import * as z from 'zod'
import type { Region } from '../audio/voice.ts'
import { VerbatimError } from '../errors.ts'
import { type JobRef, workKey } from '../keys.ts'
import type { ObjectStore } from '../ports.ts'
import type { PlannedShard } from './3-plan.ts'
import { parseJson } from './parse-json.ts'

const Span = z.tuple([z.int(), z.int()])

/** A plan as it lies in the object store, for the workers of its shards and the one that joins them. */
export const SavedPlan = z.object({
  durationMs: z.int(),
  truncated: z.boolean(),
  language: z
    .object({ code: z.string(), detected: z.boolean(), probability: z.number().optional() })
    .nullable(),
  shards: z.array(
    z.object({
      channel: z.int(),
      windows: z.array(Span),
      regions: z.array(Span),
      seams: z.array(z.int()),
    }),
  ),
})

export interface StoredPlan extends Omit<z.infer<typeof SavedPlan>, 'shards'> {
  readonly shards: readonly PlannedShard[]
}

const planKey = (ref: JobRef) => workKey(ref, 'plan.json')

/** Ten hours take some 200 KB. */
export async function savePlan(
  objects: Pick<ObjectStore, 'put'>,
  ref: JobRef,
  plan: StoredPlan,
): Promise<void> {
  const span = ({ startMs, endMs }: Region) => [startMs, endMs] as const
  const shards = plan.shards.map(({ channel, windows, regions, seams }) => ({
    ...{ channel, seams },
    ...{ windows: windows.map(span), regions: regions.map(span) },
  }))
  await objects.put(planKey(ref), JSON.stringify({ ...plan, shards }), 'application/json')
}

/** Undefined when it is gone: the job has ended. */
export async function readPlan(
  objects: Pick<ObjectStore, 'get'>,
  ref: JobRef,
): Promise<StoredPlan | undefined> {
  const bytes = await objects.get(planKey(ref))
  if (!bytes) return undefined
  const saved = SavedPlan.safeParse(parseJson(bytes))
  if (!saved.success)
    throw new VerbatimError('internal', 'A stored plan cannot be read.', { cause: saved.error })
  const region = ([startMs, endMs]: z.infer<typeof Span>) => ({ startMs, endMs })
  const shards = saved.data.shards.map(({ channel, windows, regions, seams }) => ({
    ...{ channel, seams },
    ...{ windows: windows.map(region), regions: regions.map(region) },
  }))
  return { ...saved.data, shards }
}

/** From the first to the last moment of a shard. */
export const rangeOf = ({ windows }: Pick<PlannedShard, 'windows'>): Region => ({
  startMs: windows[0]!.startMs,
  endMs: windows.at(-1)!.endMs,
})

/** The sound that the engine hears of a shard, seams left out. */
export const soundMs = ({ windows }: Pick<PlannedShard, 'windows'>): number =>
  windows.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
