import { type Segment, TRANSCRIPT_FORMAT, type Transcript } from '../../../lib/core/transcript/shape.ts'
import { wordsFromText } from '../../../lib/core/transcript/words.ts'

export function segment(startMs: number, endMs: number, text: string, speaker?: string): Segment {
  const words = wordsFromText({ text, startMs, endMs })
  return { id: 0, startMs, endMs, text, words, ...(speaker !== undefined && { speaker }) }
}

export function transcriptOf(...segments: Segment[]): Transcript {
  return {
    format: TRANSCRIPT_FORMAT,
    jobId: 'job',
    createdAt: '2026-01-02T03:04:05.000Z',
    durationMs: 60_000,
    language: segments.length > 0 ? { code: 'en', detected: false } : null,
    engine: { name: 'whisper.cpp', version: '1', model: 'mini' },
    text: segments.map(({ text }) => text).join(' '),
    segments: segments.map((one, id) => ({ ...one, id })),
    warnings: [],
  }
}
