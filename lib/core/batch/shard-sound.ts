import type { Region } from '../audio/voice.ts'
import { VerbatimError } from '../errors.ts'
import { type JobRef, workKey } from '../keys.ts'
import type { ObjectStore, Recording, SoundPacker } from '../ports.ts'
import type { PlannedShard } from './3-plan.ts'
import { seamStretches } from './4-shard.ts'

export interface SoundPorts {
  readonly objects: ObjectStore
  readonly packer: SoundPacker
}

const SAMPLES_PER_MS = 16
const CONTENT_TYPE = 'application/octet-stream'

const soundKey = (ref: JobRef, shard: number) => workKey(ref, `sound/${shard}`)

/** What a shard's worker will read, put together without gaps: its windows and what surrounds its seams. */
function piecesOf(shard: PlannedShard, durationMs: number): Region[] {
  const pieces: Region[] = []
  const wanted = [...shard.windows, ...seamStretches(shard)].toSorted((a, b) => a.startMs - b.startMs)
  for (const { startMs, endMs } of wanted) {
    const before = pieces.at(-1)
    const untilMs = Math.min(endMs, durationMs)
    if (before && startMs <= before.endMs)
      pieces[pieces.length - 1] = { startMs: before.startMs, endMs: Math.max(before.endMs, untilMs) }
    else pieces.push({ startMs, endMs: untilMs })
  }
  return pieces
}

/** Stores the sound of one shard; silence between its windows is left out. */
export async function storeSound(
  { objects, packer }: SoundPorts,
  ref: JobRef,
  recording: Pick<Recording, 'read' | 'durationMs'>,
  shard: PlannedShard,
  n: number,
): Promise<void> {
  const pieces = piecesOf(shard, recording.durationMs)
  const sound = new Int16Array(lengthOf(pieces))
  let at = 0
  for (const { startMs, endMs } of pieces) {
    const pcm16 = await recording.read(shard.channel, startMs, endMs)
    sound.set(pcm16.subarray(0, (endMs - startMs) * SAMPLES_PER_MS), at)
    at += (endMs - startMs) * SAMPLES_PER_MS
  }
  await objects.put(soundKey(ref, n), await packer.pack(sound), CONTENT_TYPE)
}

/** The sound of a shard, to be read by its times in the recording. Undefined when it is gone: the job has ended. */
export async function loadSound(
  { objects, packer }: SoundPorts,
  ref: JobRef,
  shard: PlannedShard,
  n: number,
  durationMs: number,
): Promise<Pick<Recording, 'read'> | undefined> {
  const bytes = await objects.get(soundKey(ref, n))
  if (!bytes) return undefined
  const sound = await packer.unpack(bytes)
  const pieces = piecesOf(shard, durationMs)
  if (sound.length !== lengthOf(pieces))
    throw new VerbatimError('internal', 'A stored sound has another length.')
  return { read: async (_, startMs, endMs) => cutOut(sound, pieces, startMs, endMs) }
}

const lengthOf = (pieces: readonly Region[]): number =>
  pieces.reduce((sum, { startMs, endMs }) => sum + (endMs - startMs) * SAMPLES_PER_MS, 0)

/** A stretch that lies in one of the pieces, but for what is behind the end of the recording. */
function cutOut(sound: Int16Array, pieces: readonly Region[], startMs: number, endMs: number): Int16Array {
  let at = 0
  for (const piece of pieces) {
    if (startMs >= piece.startMs && startMs < piece.endMs) {
      const from = at + (startMs - piece.startMs) * SAMPLES_PER_MS
      const to = at + (Math.min(endMs, piece.endMs) - piece.startMs) * SAMPLES_PER_MS
      return sound.subarray(from, to)
    }
    at += (piece.endMs - piece.startMs) * SAMPLES_PER_MS
  }
  return new Int16Array(0)
}
