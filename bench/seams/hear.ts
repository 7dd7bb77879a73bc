import type { VoiceTrack } from '../../lib/core/audio/voice.ts'
import { SEAM_MS } from '../../lib/core/batch/4-shard.ts'
import { hearWhole } from '../../lib/core/batch/hear-whole.ts'
import { inParallel } from '../../lib/core/batch/in-parallel.ts'
import type { Engine } from '../../lib/core/ports.ts'
import type { WindowHeard } from '../../lib/core/transcript/assemble.ts'
import { guardSegments } from '../../lib/core/transcript/guards.ts'
import { mendSeams } from '../../lib/core/transcript/seams.ts'
import type { Word } from '../../lib/core/transcript/shape.ts'
import type { Cuts } from './cuts.ts'

export interface Heard {
  /** Without and with what was heard around the seams. */
  readonly before: readonly Word[]
  readonly after: readonly Word[]
  readonly repaired: number
}

export interface HearOptions {
  readonly seamMs?: number
  readonly brief?: boolean
}

/** Hears the windows as workers do, and the sound around the seams with another engine, so that its cost is known. */
export async function hearCuts(
  engines: { readonly windows: Engine; readonly seams: Engine },
  pcm16: Int16Array,
  { regions }: VoiceTrack,
  { windows, seams }: Cuts,
  { seamMs = SEAM_MS, brief = false }: HearOptions = {},
): Promise<Heard> {
  const read = async (_: number, startMs: number, endMs: number) =>
    pcm16.slice(Math.max(0, startMs) * 16, endMs * 16)
  const recording = { read }
  const { width } = engines.windows
  const heard = await inParallel(windows, width, async ({ startMs, endMs }): Promise<WindowHeard> => {
    const window = { channel: 0, startMs, endMs }
    const segments = await hearWhole(engines.windows, { recording, regions }, window, { language: 'en' })
    return { ...window, segments: guardSegments(segments).kept }
  })
  const around = await inParallel(seams, width, async (atMs) => {
    const [startMs, endMs] = [Math.max(0, atMs - seamMs), Math.min(pcm16.length / 16, atMs + seamMs)]
    const sound = await read(0, startMs, endMs)
    const segments = await engines.seams.hear(sound, { language: 'en', brief })
    return { channel: 0, atMs, startMs, endMs, segments: guardSegments(segments).kept }
  })
  const mended = mendSeams(heard, around)
  return { before: wordsOf(heard), after: wordsOf(mended.windows), repaired: mended.repaired }
}

const wordsOf = (windows: readonly WindowHeard[]): Word[] =>
  windows.flatMap(({ startMs, segments }) =>
    segments
      .flatMap(({ words }) => words)
      .map((word) => ({ ...word, startMs: word.startMs + startMs, endMs: word.endMs + startMs })),
  )
