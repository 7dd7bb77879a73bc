import { cutShards, seamsOf, shardTargetMs, speechMs } from '../audio/shards.ts'
import { createVoiceGate, type Region, type VoiceGate, type VoiceTrack } from '../audio/voice.ts'
import { pickSamples } from '../audio/voiced.ts'
import { cutWindows } from '../audio/windows.ts'
import { VerbatimError } from '../errors.ts'
import type { Job } from '../job.ts'
import { uploadKey } from '../keys.ts'
import type { Decoder, ObjectStore, Recording } from '../ports.ts'
import type { BatchSettings } from '../settings.ts'

export interface PlanPorts {
  readonly objects: ObjectStore
  readonly decoder: Decoder
  readonly settings: BatchSettings
}

/** Consecutive windows of one channel: what one worker hears. Times are ms in the recording. */
export interface PlannedShard {
  readonly channel: number
  /** Stretches that the engine hears in one request each, in order. */
  readonly windows: readonly Region[]
  /** Where in them there may be speech. */
  readonly regions: readonly Region[]
  /** Where one of its windows, the last one too, meets the next although nobody pauses. */
  readonly seams: readonly number[]
}

/** A stretch of one channel. */
export interface Stretch extends Region {
  readonly channel: number
}

/** What is to be heard, in the order of channels and time. Silence is in none of it. */
export interface Plan {
  readonly shards: readonly PlannedShard[]
  /** So short that the worker that has planned it hears it at once. */
  readonly short: boolean
  /** Where to listen for the language, the best place first. Empty when nobody speaks. */
  readonly samples: readonly Stretch[]
}

/** How many places are listened to for the language: two of three are a majority. */
const SAMPLES = 3

/**
 * Decodes the recording in constant memory, finds where there may be speech, and cuts that at pauses into windows and
 * shards. The same recording always gives the same plan, so an attempt can go on where an earlier one ended, and the
 * words do not depend on how many workers there are.
 */
export async function planRecording(
  ports: PlanPorts,
  job: Job,
  signal: AbortSignal,
): Promise<Plan & { readonly recording: Recording }> {
  const { objects, decoder, settings } = ports
  const file = await objects.toFile(uploadKey(job))
  if (!file) throw new VerbatimError('recording-missing', 'The uploaded recording is no longer there.')
  const gates = new Map<number, VoiceGate>()
  try {
    const recording = await decoder.decode(file.path, {
      channels: job.options.channels,
      limits: { maxDurationMs: settings.maxDurationMs, timeoutMs: decodeTimeout(settings, job.sizeBytes) },
      signal,
      onPcm: (channel, pcm16) => gateOf(gates, channel).push(pcm16),
    })
    const tracks = new Map(Array.from(gates, ([channel, gate]) => [channel, gate.end()]))
    return { recording, ...cut(tracks, settings) }
  } finally {
    await file.release()
  }
}

function gateOf(gates: Map<number, VoiceGate>, channel: number) {
  const gate = gates.get(channel) ?? createVoiceGate()
  gates.set(channel, gate)
  return gate
}

function cut(tracks: ReadonlyMap<number, VoiceTrack>, settings: BatchSettings): Plan {
  const channels = Array.from(tracks, ([channel, track]) => ({ channel, track, windows: cutWindows(track) }))
  const targetMs = shardTargetMs(
    channels.map(({ windows }) => speechMs(windows)),
    settings,
  )
  const shards = channels.flatMap(({ channel, track, windows }) => {
    const cuts = cutShards(track, { targetMs, windows })
    const seams = seamsOf(cuts.flat())
    return cuts.map((own) => planned(channel, own, track.regions, seams))
  })
  return { shards, short: targetMs === Number.POSITIVE_INFINITY, samples: samplesOf(tracks) }
}

const span = ({ startMs, endMs }: Region): Region => ({ startMs, endMs })

function planned(
  channel: number,
  windows: readonly Region[],
  regions: readonly Region[],
  seams: readonly number[],
): PlannedShard {
  const fromMs = windows[0]!.startMs
  const toMs = windows.at(-1)!.endMs
  return {
    channel,
    windows: windows.map(span),
    // None begins or ends in a shard that it does not belong to, but for one that is longer than a shard.
    regions: regions.filter(({ startMs, endMs }) => startMs < toMs && endMs > fromMs).map(span),
    seams: seams.filter((atMs) => atMs > fromMs && atMs <= toMs),
  }
}

/** Those of the channel in which most is said, in front. */
function samplesOf(tracks: ReadonlyMap<number, VoiceTrack>): Stretch[] {
  const samples = Array.from(tracks, ([channel, { regions }]) =>
    pickSamples(regions, SAMPLES).map((sample) => ({ channel, ...sample })),
  )
  return samples
    .toSorted((a, b) => (b[0]?.voicedMs ?? 0) - (a[0]?.voicedMs ?? 0))
    .flat()
    .slice(0, SAMPLES)
    .map(({ channel, startMs, endMs }) => ({ channel, startMs, endMs }))
}

const decodeTimeout = ({ decodeTimeoutMs, decodeTimeoutPerMbMs }: BatchSettings, sizeBytes: number): number =>
  decodeTimeoutMs + (sizeBytes / 1024 ** 2) * decodeTimeoutPerMbMs
