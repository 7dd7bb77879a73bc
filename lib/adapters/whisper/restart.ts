/** So many crashes in a row … */
const CRASHES = 5
/** … within this time … */
const WITHIN_MS = 60_000
/** … and for so long nobody tries again. */
const PAUSE_MS = 30_000
const LONGEST_DELAY_MS = 5000

/**
 * Whether a process that keeps dying is started once more: the wait before it in ms, or undefined for not now.
 * One crash costs no wait (a killed process is replaced at once); the wait then doubles.
 *
 * @param crashes epoch ms of the crashes since the last success, oldest first
 */
export function restartDelayMs(crashes: readonly number[], now: number): number | undefined {
  const row = crashes.slice(-CRASHES)
  const last = row.at(-1) ?? 0
  const isLoop = row.length === CRASHES && last - row[0]! <= WITHIN_MS
  if (isLoop && now - last < PAUSE_MS) return undefined
  return crashes.length < 2 ? 0 : Math.min(LONGEST_DELAY_MS, 100 * 2 ** (crashes.length - 2))
}
