import { createVoiceGate, type Region, type VoiceGate } from '../audio/voice.ts'
import { pickVoiced } from '../audio/voiced.ts'
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

/** A stretch of one channel that the engine hears in one request. */
export interface PlannedWindow {
  readonly channel: number
  readonly startMs: number
  readonly endMs: number
}

export interface Plan {
  readonly recording: Recording
  /** In the order of time. Silence is in none of them. */
  readonly windows: readonly PlannedWindow[]
  /** Where each channel may hold speech. */
  readonly regions: ReadonlyMap<number, readonly Region[]>
  /** Where to listen for the language: the stretch with most speech. Absent when nobody speaks. */
  readonly voiced?: PlannedWindow
}

/**
 * Decodes the recording, finds where there may be speech, and cuts that at pauses into windows. The same
 * recording always gives the same windows, so an attempt can go on where an earlier one ended.
 */
export async function planRecording(ports: PlanPorts, job: Job, signal: AbortSignal): Promise<Plan> {
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
    return { recording, ...cut(gates) }
  } finally {
    await file.release()
  }
}

function gateOf(gates: Map<number, VoiceGate>, channel: number) {
  const gate = gates.get(channel) ?? createVoiceGate()
  gates.set(channel, gate)
  return gate
}

function cut(gates: ReadonlyMap<number, VoiceGate>): Omit<Plan, 'recording'> {
  const windows: PlannedWindow[] = []
  const regions = new Map<number, readonly Region[]>()
  let voiced: (PlannedWindow & { voicedMs: number }) | undefined
  for (const [channel, gate] of gates) {
    const track = gate.end()
    regions.set(channel, track.regions)
    for (const { startMs, endMs } of cutWindows(track)) windows.push({ channel, startMs, endMs })
    const best = pickVoiced(track.regions)
    if (best && best.voicedMs > (voiced?.voicedMs ?? 0)) voiced = { channel, ...best }
  }
  windows.sort((a, b) => a.startMs - b.startMs || a.channel - b.channel)
  return { windows, regions, ...(voiced && { voiced }) }
}

const decodeTimeout = ({ decodeTimeoutMs, decodeTimeoutPerMbMs }: BatchSettings, sizeBytes: number): number =>
  decodeTimeoutMs + (sizeBytes / 1024 ** 2) * decodeTimeoutPerMbMs
