import * as z from 'zod'
import { digestOf } from '../digest.ts'
import { type JobRef, workKey } from '../keys.ts'
import type { Clock, Engine, ObjectStore, Recording } from '../ports.ts'
import { type HeardSegment, Word } from '../transcript/shape.ts'
import type { PlannedShard, Stretch } from './3-plan.ts'
import { hearWhole } from './hear-whole.ts'
import { parseJson } from './parse-json.ts'

export interface HearPorts {
  readonly engine: Engine
  readonly objects: ObjectStore
  readonly clock: Clock
}

/** Times of the segments count from its start. */
export interface HeardWindow extends Stretch {
  readonly segments: readonly HeardSegment[]
}

/** The sound around a place where two windows meet although nobody pauses. */
export interface HeardSeam extends HeardWindow {
  readonly atMs: number
}

export interface HeardShard {
  /** In the order of time. */
  readonly windows: readonly HeardWindow[]
  readonly seams: readonly HeardSeam[]
  /** Time that the engine was busy, of all its processes together. */
  readonly engineMs: number
  /**
   * How much of the time between beginning and end was no work: waiting for an engine that was busy with others. Below 0
   * where several windows were heard at once.
   */
  readonly idleMs: number
}

const Segments = z.array(
  z.object({
    startMs: z.int(),
    endMs: z.int(),
    text: z.string(),
    words: z.array(Word),
    avgLogprob: z.number(),
    noSpeechProb: z.number(),
    compressionRatio: z.number(),
  }),
)
const stretch = { channel: z.int(), startMs: z.int(), endMs: z.int(), segments: Segments }

/** What is kept of a window, so that an attempt after a crash does not hear it again. */
const SavedWindow = z.object({
  /** Engine, model, language and prompt it was heard with: others would have given other words. */
  heardWith: z.string(),
  segments: Segments,
})

/** What is kept of a shard until the transcript is joined. */
export const SavedShard = z.object({
  windows: z.array(z.object(stretch)),
  seams: z.array(z.object({ ...stretch, atMs: z.int() })),
})

/** How much is heard again on each side of a seam: docs/adr/0014-shards.md. */
export const SEAM_MS = 3_000

/** The sound around each seam of a shard. Before 0 and behind the end of a recording there is none to be read. */
export const seamStretches = ({ channel, seams }: PlannedShard): Array<Stretch & { atMs: number }> =>
  seams.map((atMs) => ({ channel, atMs, startMs: Math.max(0, atMs - SEAM_MS), endMs: atMs + SEAM_MS }))

export interface ShardOptions {
  readonly language: string
  readonly prompt?: string
  readonly signal: AbortSignal
  /** The share of the sound that is heard, 0..1. */
  readonly onHeard?: (share: number) => void
}

/**
 * Hears shards of one recording, as many windows at a time as the engine is wide, and saves each window. The first error
 * stops the rest.
 */
export async function hearShards(
  ports: HearPorts,
  ref: JobRef,
  recording: Pick<Recording, 'read'>,
  shards: readonly PlannedShard[],
  options: ShardOptions,
): Promise<HeardShard> {
  const work = worksOf(shards)
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const heardWith = await digestOf([ports.engine.info, options.language, options.prompt ?? ''])
  const totalMs = work.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
  const heard: Array<readonly HeardSegment[]> = new Array(work.length)
  const start = ports.clock()
  let heardMs = 0
  let engineMs = 0
  let waitedMs = 0
  let workedMs = 0
  let next = 0

  async function lane(): Promise<void> {
    const begin = ports.clock()
    for (let index = next++; index < work.length; index = next++) {
      const piece = work[index]!
      heard[index] = await hear(piece)
      heardMs += piece.endMs - piece.startMs
      options.onHeard?.(heardMs / totalMs)
    }
    workedMs += ports.clock() - begin
  }

  async function hear(piece: Work): Promise<readonly HeardSegment[]> {
    signal.throwIfAborted()
    const key = workKey(ref, `${piece.channel}-${piece.startMs}-${piece.endMs}.json`)
    const saved = await readSaved(ports.objects, key, heardWith)
    if (saved) return saved
    const begin = ports.clock()
    let servedMs: number | undefined
    const onServed = (ms: number) => {
      servedMs = (servedMs ?? 0) + ms
    }
    const sound = { recording, regions: piece.regions }
    const segments = await hearWhole(ports.engine, sound, piece, { ...options, signal, onServed })
    const tookMs = ports.clock() - begin
    engineMs += servedMs ?? tookMs
    waitedMs += Math.max(0, tookMs - (servedMs ?? tookMs))
    await ports.objects.put(key, JSON.stringify({ heardWith, segments }), 'application/json')
    return segments
  }

  const lanes = Array.from({ length: Math.min(ports.engine.width, work.length) }, () =>
    lane().catch((error: unknown) => {
      stop.abort(error)
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(lanes)
  if (outcomes.some(({ status }) => status === 'rejected')) throw signal.reason
  const idleMs = ports.clock() - start - (workedMs - waitedMs)
  return { ...sorted(work, heard), engineMs: Math.round(engineMs), idleMs: Math.round(idleMs) }
}

interface Work extends Stretch {
  readonly regions: PlannedShard['regions']
  readonly atMs?: number
}

/** Windows and seams in the order of time, whatever channel they are of: progress is that of the recording then. */
const worksOf = (shards: readonly PlannedShard[]): Work[] =>
  shards
    .flatMap((shard): Work[] => {
      const { channel, windows, regions } = shard
      return [
        ...windows.map((window) => ({ channel, regions, ...window })),
        // What the gate says is of no interest here: nothing is heard a second time for a seam.
        ...seamStretches(shard).map((seam) => ({ regions: [], ...seam })),
      ]
    })
    .sort((a, b) => a.startMs - b.startMs || a.channel - b.channel)

function sorted(work: readonly Work[], heard: ReadonlyArray<readonly HeardSegment[]>) {
  const windows: HeardWindow[] = []
  const seams: HeardSeam[] = []
  for (const [i, { regions: _, atMs, ...place }] of work.entries()) {
    const segments = heard[i]!
    if (atMs === undefined) windows.push({ ...place, segments })
    else seams.push({ ...place, atMs, segments })
  }
  return { windows, seams }
}

async function readSaved(objects: ObjectStore, key: string, heardWith: string) {
  const bytes = await objects.get(key)
  if (!bytes) return undefined
  const saved = SavedWindow.safeParse(parseJson(bytes))
  return saved.success && saved.data.heardWith === heardWith ? saved.data.segments : undefined
}
