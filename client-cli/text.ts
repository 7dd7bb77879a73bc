/** What came from somewhere else must not steer the terminal it is shown on. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '�')
}

/** Decimal units, as disks and networks count: `3.2 MB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** `4:05`, `1:02:03`. */
export function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** A stretch of time in words, as exact as anybody needs: `40 s`, `1 min 12 s`, `2 h 5 min`. */
export function spanText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  const whole = Math.round(seconds / 60)
  if (whole < 60) return `${whole} min`
  return whole % 60 === 0 ? `${whole / 60} h` : `${Math.floor(whole / 60)} h ${whole % 60} min`
}

/** The same for a guess, in steps: what is still to come should not flicker. */
export function aboutText(ms: number): string {
  const seconds = ms / 1000
  const step = seconds < 20 ? 1 : seconds < 300 ? 5 : 60
  return `about ${spanText(Math.round(seconds / step) * step * 1000)}`
}

/** `$0.51`, `under $0.01`. */
export const dollarsText = (usd: number): string => (usd >= 0.005 ? `$${usd.toFixed(2)}` : 'under $0.01')

/** Whole percents, never 100 before the end. */
export function percentText(share: number): string {
  return `${share >= 1 ? 100 : Math.min(99, Math.floor(share * 100))} %`
}

/** Columns padded to their widest cell, two spaces apart; the last one is left ragged. */
export function table(rows: ReadonlyArray<readonly string[]>): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, cell.length)),
    [],
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map((row) => `${line(row)}\n`).join('')
}
