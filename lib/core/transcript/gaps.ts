import type { Caption } from './captions.ts'
import type { Gap } from './shape.ts'

/** Long enough to be read, short enough to be no caption of what comes after. */
const SHOWN_MS = 4000

/** `05:00`, `1:05:00`: what people read, and players show. Parts of a second are left out. */
export function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`
}

/** `05:00–06:15` */
export const rangeText = ({ startMs, endMs }: Pick<Gap, 'startMs' | 'endMs'>): string =>
  `${clockText(startMs)}–${clockText(endMs)}`

/** `[05:00–06:15 not transcribed]`, with the channel where channels were heard apart. */
export function gapText(gap: Gap): string {
  const channel = gap.channel === undefined ? '' : `, channel-${gap.channel + 1}`
  return `[${rangeText(gap)} not transcribed${channel}]`
}

/** What stands on the screen where a gap begins, for a few seconds. */
export const gapCaption = (gap: Gap): Caption => ({
  startMs: gap.startMs,
  endMs: Math.max(gap.startMs + 1, Math.min(gap.endMs, gap.startMs + SHOWN_MS)),
  lines: [gapText(gap)],
})

/** Puts gaps where they belong in a list in the order of time, each in front of what begins with it or later. */
export function withGaps<T extends { readonly startMs: number }>(
  inOrder: readonly T[],
  gaps: readonly Gap[] = [],
): Array<{ readonly gap: Gap; readonly item?: never } | { readonly gap?: never; readonly item: T }> {
  const waiting = gaps.toSorted((a, b) => a.startMs - b.startMs)
  const all = inOrder.flatMap((item) => {
    const before = waiting.findIndex(({ startMs }) => startMs > item.startMs)
    const due = waiting.splice(0, before < 0 ? waiting.length : before)
    return [...due.map((gap) => ({ gap })), { item }]
  })
  return [...all, ...waiting.map((gap) => ({ gap }))]
}
