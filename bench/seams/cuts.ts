import { cutShards, seamsOf } from '../../lib/core/audio/shards.ts'
import { createVoiceGate, type Region, type VoiceTrack } from '../../lib/core/audio/voice.ts'
import { cutWindows } from '../../lib/core/audio/windows.ts'
import { randomFrom } from '../../test/support/random.ts'

/** How a recording is heard in pieces. Times are ms in the recording. */
export interface Cuts {
  readonly windows: readonly Region[]
  /** How many workers share them. */
  readonly shards: number
  readonly seams: readonly number[]
  /** Where the sound of one window ends and that of the next begins. */
  readonly windowCuts: readonly number[]
  /** Those of them at which another worker goes on. */
  readonly shardCuts: readonly number[]
}

export function trackOf(pcm16: Int16Array): VoiceTrack {
  const gate = createVoiceGate()
  gate.push(pcm16)
  return gate.end()
}

/** All of it by one worker. */
export const inOnePiece = (track: VoiceTrack, seamPauseMs?: number): Cuts =>
  cutsOf([cutWindows(track)], seamPauseMs)

export const inShards = (track: VoiceTrack, targetMs: number, seamPauseMs?: number): Cuts =>
  cutsOf(cutShards(track, { targetMs }), seamPauseMs)

/** Cut every 14 to 28 s wherever that is: mostly inside words. Nobody would; it shows what mending can do. */
export function blindly({ durationMs }: VoiceTrack, seed: number): Cuts {
  const random = randomFrom(seed)
  const windows: Region[] = []
  for (let startMs = 300; startMs < durationMs; startMs = windows.at(-1)!.endMs) {
    const endMs = startMs + Math.round(14_000 + random() * 14_000)
    windows.push({ startMs, endMs: durationMs - endMs < 5_000 ? durationMs : endMs })
  }
  const seams = windows.slice(1).map(({ startMs }) => startMs)
  return { windows, shards: 1, seams, windowCuts: seams, shardCuts: [] }
}

type Cut = ReturnType<typeof cutWindows>

function cutsOf(shards: readonly Cut[], seamPauseMs?: number): Cuts {
  const windows = shards.flat()
  return {
    windows,
    shards: shards.length,
    seams: seamsOf(windows, seamPauseMs),
    windowCuts: between(windows),
    shardCuts: shards.slice(1).flatMap((shard, i) => between([shards[i]!.at(-1)!, shard[0]!])),
  }
}

const between = (windows: readonly Region[]): number[] =>
  windows.slice(1).flatMap(({ startMs }, i) => {
    const { endMs } = windows[i]!
    return endMs === startMs ? [startMs] : [endMs, startMs]
  })
