import { levelOf } from '../../../lib/core/audio/levels.ts'
import { findVoice, type Region, type VoiceTrack } from '../../../lib/core/audio/voice.ts'
import { randomFrom } from '../../support/random.ts'
import { type Part, trackOf } from './patterns.ts'

/** What the gate makes of a pattern. */
export function heard(parts: readonly Part[], seed = 1): VoiceTrack {
  const track = trackOf(parts, seed)
  return { regions: findVoice(track), level: levelOf(track), durationMs: track.durationMs }
}

/** The pattern as one region, as if noise had kept the gate open. */
export function ungated(parts: readonly Part[]): VoiceTrack {
  const track = trackOf(parts)
  const { durationMs } = track
  return { regions: [{ startMs: 0, endMs: durationMs }], level: levelOf(track), durationMs }
}

/** Regions as given, with talk in them and a silent room around. */
export function spoken(regions: readonly Region[], durationMs: number): VoiceTrack {
  let last = 0
  const voiced = (ms: number) => {
    // Asked for in order, nearly always: to look from the beginning each time takes minutes for a day.
    if (ms < (regions[last]?.startMs ?? 0)) last = 0
    while (last < regions.length - 1 && regions[last]!.endMs <= ms) last++
    return regions.length > 0 && ms >= regions[last]!.startMs && ms < regions[last]!.endMs
  }
  return { regions, level: (ms) => (voiced(ms) ? -20 - (ms % 200) / 20 : -70), durationMs }
}

/** From some seconds to half an hour: talk and rooms, some with stretches without a pause, some with noise over pauses. */
export function anyTrack(seed: number): VoiceTrack {
  const random = randomFrom(seed)
  const longMs = [4_000, 15_000, 60_000][Math.floor(random() * 3)]!
  const pauseMs = [300, 1_500, 12_000][Math.floor(random() * 3)]!
  const parts = Array.from(
    { length: 1 + Math.floor(random() * 60) },
    (_, i): Part =>
      i % 2 === 0
        ? [random() * longMs, -40 + random() * 30, 'talk']
        : [random() * pauseMs, -90 + random() * 40],
  )
  return random() < 0.3 ? ungated(parts) : heard(parts, seed)
}

/** How much of a region is in no window, ms. */
export function uncovered({ startMs, endMs }: Region, windows: readonly Region[]): number {
  const covered = windows.map((w) => Math.max(0, Math.min(endMs, w.endMs) - Math.max(startMs, w.startMs)))
  return endMs - startMs - covered.reduce((sum, ms) => sum + ms, 0)
}
