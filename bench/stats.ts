/** Least, middle and most of some figures. */
export function spread(values: readonly number[]): { min: number; median: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
  return { min: sorted[0]!, median, max: sorted.at(-1)! }
}

export function row(label: string, values: readonly number[], digits = 2): string {
  const { min, median, max } = spread(values)
  const text = (value: number) => value.toFixed(digits).padStart(8)
  return `${label.padEnd(44)} median ${text(median)}   min ${text(min)}   max ${text(max)}`
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`)
