import { createLevelMeter, FRAME_MS, type Level, type LevelTrack, levelOf, toCode } from './levels.ts'

/** A stretch of possible speech, ms in the recording. */
export interface Region {
  readonly startMs: number
  readonly endMs: number
}

/** What the gate knows about a recording when it has heard all of it. */
export interface VoiceTrack {
  /** In order, apart from each other, inside the recording. */
  readonly regions: readonly Region[]
  readonly level: Level
  readonly durationMs: number
}

/** What counts as speech. Times in ms, levels in dBFS, margins in dB. */
export interface VoiceOptions {
  /** The noise floor is the level that this share of the frames around does not reach. */
  readonly floorShare: number
  /** How much sound, half before and half after, the floor is taken from: it follows a change of rooms. */
  readonly floorSpanMs: number
  /** The floor is never believed to be higher: louder than this without a pause is music or speech, not a room. */
  readonly floorMaxDb: number
  /** Nothing quieter is speech. */
  readonly silenceDb: number
  /** Speech reaches this far above the floor … */
  readonly onsetDb: number
  /** … and lasts, both ways, while it is this far above. */
  readonly lastDb: number
  /** Dips up to here (the closure of a stop consonant) do not end a sound. */
  readonly bridgeMs: number
  /** A sound that reaches the onset level for less is a click. */
  readonly leastMs: number
  /** Added before: a soft first consonant lies under the noise. */
  readonly padBeforeMs: number
  /** Added after: words fade out. */
  readonly padAfterMs: number
}

export const VOICE_DEFAULTS: VoiceOptions = {
  floorShare: 0.1,
  floorSpanMs: 20_000,
  floorMaxDb: -35,
  silenceDb: -72,
  onsetDb: 7,
  lastDb: 4,
  bridgeMs: 100,
  leastMs: 60,
  padBeforeMs: 100,
  padAfterMs: 200,
}

/** In less sound than this a floor is a guess: all that is not near digital silence counts as speech then. */
const TOO_SHORT_MS = 3_000

export interface VoiceGate {
  /** The next piece of one channel: 16 kHz 16-bit samples, any number. */
  push(pcm16: Int16Array): void
  /** The judgement; nothing can be pushed after it. */
  end(): VoiceTrack
}

/**
 * Says where in a recording somebody may be speaking, from its loudness alone. It would rather take noise for
 * speech than the other way round: a needless window costs an encoder pass, a lost word is lost.
 *
 * The floor is a low percentile of the levels in the seconds around (the idea of minimum statistics, R. Martin,
 * IEEE Trans. Speech Audio Proc. 9(5), 2001: speech pauses so often that the least of some seconds is the noise),
 * the decision a margin above it with hysteresis and hang-over (ITU-T G.729 Annex B, 1996). Both look ahead here,
 * as the recording is whole when judged. The constants are measured: docs/adr/0002-windows-cut-at-pauses.md.
 */
export function createVoiceGate(options: Partial<VoiceOptions> = {}): VoiceGate {
  const settings = { ...VOICE_DEFAULTS, ...options }
  const meter = createLevelMeter()
  return {
    push: meter.push,
    end() {
      const track = meter.end()
      return { regions: findVoice(track, settings), level: levelOf(track), durationMs: track.durationMs }
    },
  }
}

/** The judgement behind the gate, from levels to regions. */
export function findVoice(track: LevelTrack, settings: VoiceOptions = VOICE_DEFAULTS): Region[] {
  const frames = (ms: number) => Math.round(ms / FRAME_MS)
  const floors = noiseFloors(track, settings)
  const least = frames(settings.leastMs)
  const bridge = frames(settings.bridgeMs)
  const regions: Region[] = []

  let start = -1
  let last = -1
  let loud = 0
  const close = () => {
    if (start >= 0 && loud >= least)
      addPadded(regions, start * FRAME_MS, (last + 1) * FRAME_MS, track, settings)
    start = -1
    loud = 0
  }
  for (const [i, code] of track.codes.entries()) {
    const floor = floors[Math.floor(i / FLOOR_HOP)]!
    if (code < Math.max(toCode(settings.silenceDb), floor + 2 * settings.lastDb)) continue
    if (start >= 0 && i - last - 1 > bridge) close()
    if (start < 0) start = i
    last = i
    if (code >= Math.max(toCode(settings.silenceDb), floor + 2 * settings.onsetDb)) loud++
  }
  close()
  return regions
}

/** How much of the time between two moments lies in regions. */
export function voicedMs(regions: readonly Region[], fromMs: number, toMs: number): number {
  return regions.reduce(
    (sum, { startMs, endMs }) => sum + Math.max(0, Math.min(endMs, toMs) - Math.max(startMs, fromMs)),
    0,
  )
}

/** Adds a sound with its padding, joined to the one before where they meet. */
function addPadded(
  regions: Region[],
  fromMs: number,
  toMs: number,
  { durationMs }: LevelTrack,
  { padBeforeMs, padAfterMs }: VoiceOptions,
) {
  const startMs = Math.max(0, fromMs - padBeforeMs)
  const endMs = Math.min(durationMs, toMs + padAfterMs)
  const before = regions.at(-1)
  if (before && startMs <= before.endMs) regions[regions.length - 1] = { startMs: before.startMs, endMs }
  else if (startMs < endMs) regions.push({ startMs, endMs })
}

/** The floor is worked out anew every so many frames. */
const FLOOR_HOP = 10

/** Level codes of the noise floor, one for `FLOOR_HOP` frames; a rolling histogram keeps it linear in time. */
function noiseFloors({ codes, durationMs }: LevelTrack, settings: VoiceOptions): Uint8Array {
  const highest = toCode(durationMs < TOO_SHORT_MS ? settings.silenceDb : settings.floorMaxDb)
  const span = Math.min(codes.length, Math.round(settings.floorSpanMs / FRAME_MS))
  const histogram = new Uint32Array(256)
  for (let i = 0; i < span; i++) histogram[codes[i]!]!++
  const floors = new Uint8Array(Math.ceil(codes.length / FLOOR_HOP))
  let from = 0
  for (let hop = 0; hop < floors.length; hop++) {
    // At both ends the span leans inwards instead of shrinking.
    const wanted = Math.min(codes.length - span, hop * FLOOR_HOP - (span >> 1))
    for (; from < wanted; from++) {
      histogram[codes[from]!]!--
      histogram[codes[from + span]!]!++
    }
    floors[hop] = Math.min(highest, percentile(histogram, span * settings.floorShare))
  }
  return floors
}

function percentile(histogram: Uint32Array, rank: number): number {
  let seen = 0
  for (let code = 0; code < histogram.length; code++) {
    seen += histogram[code]!
    if (seen > rank) return code
  }
  return histogram.length - 1
}
