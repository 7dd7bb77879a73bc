import { type HeardSegment, type Segment, TRANSCRIPT_FORMAT, type Transcript } from './shape.ts'
import { fitTimes } from './times.ts'

/** What was heard in one stretch of one channel; the segments' times count from `startMs`. */
export interface WindowHeard {
  readonly channel: number
  readonly startMs: number
  readonly endMs: number
  readonly segments: readonly HeardSegment[]
}

export interface AssembleInput {
  readonly jobId: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly durationMs: number
  readonly language: {
    readonly code: string
    readonly detected: boolean
    readonly probability?: number | undefined
  } | null
  readonly engine: Transcript['engine']
  /** Each channel was heard on its own: the channel is the speaker. */
  readonly separate: boolean
  readonly windows: readonly WindowHeard[]
  readonly warnings: readonly string[]
}

/**
 * Joins what was heard in the windows into the transcript: on the recording's clock, in order of start (channel
 * decides ties), with no time outside window or recording. Text is never dropped for its times: what was heard
 * in the padding behind the end is pulled to the end.
 */
export function assemble(input: AssembleInput): Transcript {
  const { jobId, createdAt, durationMs, language, engine, windows, warnings } = input
  const segments = windows
    .flatMap((window) =>
      window.segments
        .filter(({ text }) => text.trim() !== '')
        .map((heard) => ({ channel: window.channel, ...onRecording(heard, window, durationMs) })),
    )
    .sort((a, b) => a.startMs - b.startMs || a.channel - b.channel)
    .map(
      ({ channel, startMs, endMs, text, words }, id): Segment => ({
        id,
        startMs,
        endMs,
        text,
        ...(input.separate && { speaker: `channel-${channel + 1}` }),
        words,
      }),
    )
  return {
    format: TRANSCRIPT_FORMAT,
    jobId,
    createdAt,
    durationMs,
    language: segments.length > 0 && language ? { ...language } : null,
    engine: { ...engine },
    text: segments.map(({ text }) => text).join(' '),
    segments,
    warnings: [...warnings],
  }
}

function onRecording(heard: HeardSegment, window: WindowHeard, durationMs: number) {
  const from = Math.max(0, Math.round(window.startMs))
  const to = Math.max(from, Math.min(Math.round(window.endMs), durationMs))
  const shift = (ms: number) => Math.round(window.startMs + ms)
  const shortest = Math.max(1, heard.words.length)
  const startMs = Math.max(from, Math.min(shift(heard.startMs), to - shortest))
  const endMs = Math.max(startMs + shortest, Math.min(shift(heard.endMs), to))
  const words = heard.words.map((word) => ({
    ...word,
    startMs: shift(word.startMs),
    endMs: shift(word.endMs),
  }))
  const inside = words.every((word) => word.startMs >= startMs && word.endMs <= endMs)
  return {
    startMs,
    endMs,
    text: heard.text.trim(),
    words: inside ? words : fitTimes(words, { startMs, endMs }),
  }
}
