import type { SessionRef } from '../../session.ts'
import type { Format, Unit } from '../container/format.ts'
import type { IngestState, Take } from '../state.ts'
import { COMPARED_MS, findSeam } from './align.ts'
import { readSound, withPiece, writePiece } from './pieces.ts'
import { partsOf } from './runs.ts'
import type { SoundPorts } from './take.ts'

/** What is being worked on: the state as it becomes. */
export interface Work {
  readonly ports: SoundPorts
  readonly ref: SessionRef
  ingest: IngestState
  take: Take | undefined
  /** When the last of the chunks came, epoch ms. */
  readonly arrivedAt: number
}

const SAMPLES_PER_MS = 16

/**
 * Decodes runs of units and stores what is new. The first one may begin with sound that has been taken over: then the
 * two are joined where they are the same. False if no sound could be decoded.
 */
export async function hearUnits(
  work: Work,
  format: Format,
  bytes: Uint8Array,
  runs: readonly Unit[][],
  newFrom: number,
): Promise<boolean> {
  let gave = false
  for (const [i, run] of runs.entries()) {
    const goesOn = i === 0 && work.take!.synced && work.take!.startMs !== undefined
    if (goesOn && run.at(-1)!.end <= newFrom) continue
    let joined = goesOn
    for (const part of partsOf(run)) {
      const decoded = await work.ports.sound.read(format.build(bytes, part))
      if (decoded.length === 0) continue
      const last = part.at(-1)!
      const endsAtMs = last.ms + last.durationMs
      if (joined) await join(work, decoded, endsAtMs)
      else await place(work, decoded, endsAtMs, format.timed)
      joined = true
      gave = true
    }
  }
  return gave
}

/**
 * Decodes a stream without places to resume at from its beginning, and stores what is new. False if nothing is.
 */
export async function hearWhole(work: Work, bytes: Uint8Array): Promise<boolean> {
  const decoded = await work.ports.sound.read(bytes)
  const { startMs } = work.take!
  if (startMs === undefined) {
    if (decoded.length > 0) await place(work, decoded, decoded.length / SAMPLES_PER_MS, false)
    return decoded.length > 0
  }
  const taken = Math.round((work.ingest.endMs - startMs) * SAMPLES_PER_MS)
  await store(work, work.ingest.endMs, decoded.subarray(taken))
  return decoded.length > taken
}

/**
 * Adds what `decoded` has beyond the session's sound. It ends at `endsAtMs` of the take: times are compared at its end,
 * as decoders drop something at the beginning (pre-skip, encoder delay), each in its own way.
 */
async function join(work: Work, decoded: Int16Array, endsAtMs: number): Promise<void> {
  const { ports, ref, ingest } = work
  const expected =
    decoded.length - Math.round((work.take!.startMs! + endsAtMs - ingest.endMs) * SAMPLES_PER_MS)
  const from = Math.max(0, ingest.endMs - COMPARED_MS)
  const taken = await readSound(ports.objects, ref, ingest, from, ingest.endMs)
  const seam = findSeam(taken, decoded, expected)
  const at = Math.max(0, Math.min(decoded.length, seam.at))
  // Times are right to a sample: following each rounding would add up over hours.
  if (seam.sure && Math.abs(seam.at - expected) > 1) {
    work.take = { ...work.take!, startMs: ingest.endMs + (decoded.length - at) / SAMPLES_PER_MS - endsAtMs }
  }
  await store(work, ingest.endMs, decoded.subarray(at))
}

/** Adds sound that does not go on from what came before. It ends at `endsAtMs` of the take, if the container tells. */
async function place(work: Work, decoded: Int16Array, endsAtMs: number, timed: boolean): Promise<void> {
  const lengthMs = decoded.length / SAMPLES_PER_MS
  const startMs = placeFor(work, timed ? endsAtMs - lengthMs : undefined)
  work.ingest = { ...work.ingest, lostMs: 0 }
  work.take = { ...work.take!, startMs: startMs + lengthMs - endsAtMs }
  await store(work, startMs, decoded)
}

/** A time may be ahead of what arrivals tell by this much. */
const SLACK_MS = 10_000

/** Where it belongs on the session's clock. Times that can't be, backwards or far ahead of the clock, are not believed. */
function placeFor({ ingest, take, arrivedAt }: Work, ms: number | undefined): number {
  const guessed = Math.round(ingest.endMs + ingest.lostMs)
  if (ms === undefined || take!.startMs === undefined) return guessed
  const told = Math.round(take!.startMs + ms)
  const waitedMs = ingest.zeroAt === undefined ? 0 : arrivedAt - ingest.zeroAt - ingest.endMs
  const latest = ingest.endMs + 3 * ingest.lostMs + Math.max(0, waitedMs) + SLACK_MS
  return told >= ingest.endMs + ingest.lostMs / 4 && told <= latest ? told : guessed
}

/** Stores whole milliseconds; what is over comes again with the next decoding. */
async function store(work: Work, startMs: number, pcm16: Int16Array): Promise<void> {
  const whole = pcm16.subarray(0, pcm16.length - (pcm16.length % SAMPLES_PER_MS))
  if (whole.length === 0) return
  await writePiece(work.ports.objects, work.ref, startMs, whole)
  const ingest = withPiece(work.ingest, startMs, whole)
  const zeroAt = Math.min(ingest.zeroAt ?? Number.POSITIVE_INFINITY, work.arrivedAt - ingest.endMs)
  work.ingest = { ...ingest, zeroAt }
}
