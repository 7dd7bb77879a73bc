import type { Segment } from './shape.ts'

/**
 * Which segments hold a place where the speaker changes: the segment before (in order of start) is another
 * speaker's, or another speaker talks at the same time. Takes segments in order of start.
 */
export function speakerChanges(segments: readonly Segment[]): boolean[] {
  const lastEnd = new Map<string | undefined, number>()
  return segments.map((segment, i) => {
    const { startMs, endMs, speaker } = segment
    let changes = segments[i - 1]?.speaker !== speaker
    for (const [other, otherEndMs] of lastEnd) changes ||= other !== speaker && otherEndMs > startMs
    for (let next = i + 1; !changes && (segments[next]?.startMs ?? endMs) < endMs; next++) {
      changes = segments[next]!.speaker !== speaker
    }
    lastEnd.set(speaker, Math.max(lastEnd.get(speaker) ?? 0, endMs))
    return changes
  })
}
