const HOUR_MS = 3_600_000

/** What so much work of one worker costs, to a hundredth of a cent: as far as the prices go. In US dollars. */
export const dollars = (workMs: number, dollarsPerHour: number): number =>
  Math.round((workMs / HOUR_MS) * dollarsPerHour * 10_000) / 10_000
