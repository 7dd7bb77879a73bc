import { unheardRest } from '../audio/unheard.ts'
import type { Region } from '../audio/voice.ts'
import type { Engine, HearOptions, Recording } from '../ports.ts'
import type { HeardSegment } from '../transcript/shape.ts'
import { shift } from '../transcript/shift.ts'
import type { Stretch } from './3-plan.ts'

/** More than this for one window, and what stays unheard is no speech. */
const MOST_REQUESTS = 6

/**
 * Hears a window until nothing of its speech is left unheard: the engine sometimes ends its text in the middle.
 * `regions` are those of the window's channel; without any it is heard once.
 * Times of the segments count from the window's start.
 */
export async function hearWhole(
  engine: Engine,
  { recording, regions }: { recording: Pick<Recording, 'read'>; regions: readonly Region[] },
  window: Stretch,
  { language, prompt, signal, onServed }: HearOptions,
): Promise<HeardSegment[]> {
  const options = {
    language,
    ...(prompt !== undefined && { prompt }),
    ...(signal && { signal }),
    ...(onServed && { onServed }),
  }
  const kept: HeardSegment[] = []
  let part: Region = window
  for (let request = 1; ; request++) {
    const pcm16 = await recording.read(window.channel, part.startMs, part.endMs)
    const inPart = await engine.hear(pcm16, options)
    const heard = inPart.map((segment) => shift(segment, part.startMs))
    const rest = request < MOST_REQUESTS ? unheardRest(part, regions, heard) : undefined
    kept.push(...(rest ? heard.slice(0, rest.keep) : heard))
    if (!rest) return kept.map((segment) => shift(segment, -window.startMs))
    part = rest
  }
}
